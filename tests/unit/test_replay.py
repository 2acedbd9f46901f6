"""What replay makes of verdict records; tests/kafka replays to a real broker."""

from typing import Any

import orjson
import pytest

from sigfw.pipeline import replay


@pytest.mark.parametrize(
    ("reason", "shadow", "unframed"),
    [
        ("unframed", None, True),
        ("monitor", {"action": "drop", "rule": None, "reason": "unframed"}, True),
        ("monitor", {"action": "drop", "rule": "r", "reason": "rule"}, False),
        ("rule", None, False),
    ],
)
def test_record_that_went_to_the_dead_letters_is_known_in_every_mode(
    reason: str, shadow: dict[str, Any] | None, unframed: bool
) -> None:
    assert replay._is_unframed(orjson.dumps({"reason": reason, "shadow": shadow})) is unframed
