"""`sigfw run` by aiokafka's own records alone, for comparison: `python -m bench.worker run --config C`."""

from functools import partial

from sigfw.cli import main
from sigfw.pipeline import build
from sigfw.pipeline.source import KafkaSource

if __name__ == "__main__":
    build.KafkaSource = partial(KafkaSource, public=True)  # type: ignore[assignment,misc]
    main()
