"""Draw bench/charts/*.png from bench/results/*.json: `python -m bench.charts`. What was not measured is left out."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.measure import RESULTS

CHARTS = RESULTS.parent / "charts"
INK, GREY, COLOURS = "#222222", "#8a8a8a", ("#0b5fa5", "#c8501e", "#3a7d44")  # told apart in grey print, too
MARKS = ("o", "s", "^")
STYLE = {
    "figure.figsize": (7.2, 4.2), "figure.dpi": 120, "font.size": 11, "axes.titlesize": 13, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.grid": True,
    "grid.color": "#e6e6e6", "grid.linewidth": 0.8, "lines.linewidth": 2, "lines.markersize": 5,
    "legend.frameon": False, "svg.hashsalt": "sigfw",
}  # fmt: skip

Points = Sequence[tuple[float, float]]
LINES = {"": "numbers strewn", "mix": "the corpus's numbers"}  # of prefixes; elsewhere a line is named as it is drawn


@dataclass(frozen=True)
class Chart:
    name: str
    suite: str  # bench/results/SUITE.json, written by `python -m bench.SUITE`
    title: str
    x: str
    y: str
    log_x: bool = True
    log_y: bool = False


CHARTS_OF = (
    Chart("rules", "growth", "Time of a message over rules", "rules", "ns a message"),
    Chart("octets", "growth", "Time of a message over its length", "octets", "ns a message", log_x=False),
    Chart("call", "growth", "Time of a message over the batch", "messages a call of the core", "ns a message"),
    Chart("components", "growth", "Time of a message over its components", "components", "ns a message", log_x=False),
    Chart("prefixes", "prefixes", "Time of a message over prefixes in one list", "prefixes", "ns a message"),
    Chart("latency", "latency", "Latency over Kafka at a steady rate", "messages a second", "ms", log_y=True),
)


def lines(chart: Chart, found: Mapping[str, Any]) -> dict[str, Points]:
    """The chart's lines by name, from what its suite kept."""
    if chart.suite == "latency":
        points = found["points"]
        return {p: [(one["rate"], one[key]) for one in points] for p, key in (("median", "p50_ms"), ("99 %", "p99_ms"))}
    drawn: dict[str, list[tuple[float, float]]] = {}
    for case, taken in found["taken"].items():
        axis, *more, x = case.split("/")
        if axis == chart.name:
            line = LINES.get("/".join(more)) or more[0]
            drawn.setdefault(line, []).append((float(x), statistics.median(taken)))
    return drawn


def counted(value: float, _: object = None) -> str:
    """1, 1,024, 10 k, 2.5 M."""
    for least, unit, word in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if value >= least:
            return f"{value / unit:g}{word}"
    return f"{value:,g}"


def ticks(axes: Axes, xs: Sequence[float]) -> None:
    """On a logarithmic axis of x: some of the very values that were measured."""
    spread = [xs[0]]
    for x in xs[1:]:
        if x >= spread[-1] * 2.6:
            spread.append(x)
    if spread[-1] != xs[-1]:
        spread[-1] = xs[-1]
    axes.xaxis.set_major_locator(mpl.ticker.FixedLocator(spread))
    axes.xaxis.set_minor_locator(NullLocator())


def draw(chart: Chart, found: Mapping[str, Any]) -> None:
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots()
        drawn = lines(chart, found)
        for (name, points), colour, mark in zip(drawn.items(), COLOURS, MARKS, strict=False):
            ordered = sorted(points)
            axes.plot(*zip(*ordered, strict=True), color=colour, marker=mark, label=name)
            for x, y in {ordered[0], ordered[-1]} if len(drawn) == 1 else {ordered[-1]}:
                said = f"{y:,.3g}" if y < 100 else f"{y:,.0f}"
                axes.annotate(said, (x, y), (0, 8), textcoords="offset points", ha="center", color=colour)
        only = next(iter(drawn)) if len(drawn) == 1 else ""
        axes.set(title=f"{chart.title}: {only}" if only else chart.title, xlabel=chart.x, ylabel=chart.y)
        if chart.log_x:
            axes.set_xscale("log")
            ticks(axes, sorted({x for points in drawn.values() for x, _ in points}))
        else:
            axes.set_xlim(0)
        if chart.log_y:
            axes.set_yscale("log")
            axes.set_ylim(top=1.8 * axes.get_ylim()[1])
        else:
            axes.set_ylim(0, 1.15 * max(y for points in drawn.values() for _, y in points))
        axes.xaxis.set_major_formatter(FuncFormatter(counted))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
        axes.margins(x=0.06)
        if not only and any(drawn):
            axes.legend(loc="upper left")
        caption = f"{found['machine']}; {found['date']}, {found['commit']}; python -m bench.{chart.suite}"
        figure.text(0.01, 0.012, caption, fontsize=6, color=GREY)
        figure.tight_layout(rect=(0, 0.03, 1, 1))
        CHARTS.mkdir(exist_ok=True)
        figure.savefig(CHARTS / f"{chart.name}.png", metadata={"Software": None})
        plt.close(figure)


def main() -> None:
    for chart in CHARTS_OF:
        path = RESULTS / f"{chart.suite}.json"
        if not path.exists():
            print(f"{chart.name}: nothing to draw; python -m bench.{chart.suite} measures it")
            continue
        draw(chart, json.loads(path.read_text(encoding="utf-8")))
        print(f"{chart.name}: {(CHARTS / chart.name).relative_to(RESULTS.parents[1])}.png")


if __name__ == "__main__":
    main()
