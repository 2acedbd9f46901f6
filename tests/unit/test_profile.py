"""Names in profiles: whose they are, without what Cython, gcc and py-spy add."""

import pytest

from bench.profile import named, sampled_as


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("__pyx_f_5sigfw_5_core_3ber_ber_next", "ber.ber_next"),
        ("__pyx_f_5sigfw_5_core_4sccp_read_digits.isra.0", "sccp.read_digits"),
        ("__pyx_pw_5sigfw_5_core_6engine_6Worker_5judge", "engine.Worker.judge"),
        ("_int_malloc", "_int_malloc"),
    ],
)
def test_symbol_of_the_core_is_module_and_function(symbol: str, name: str) -> None:
    assert named(symbol) == name


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ("_event (sigfw/pipeline/event.py:12)", "_event (sigfw/pipeline/event.py)"),
        ("0x7f29c77ea632 (orjson/orjson.cpython-311-x86_64-linux-gnu.so)", "orjson.cpython-311-x86_64-linux-gnu.so"),
        ("0x7f29c8ca3f16 (libc.so.6)", "libc.so.6"),
    ],
)
def test_frame_is_told_without_line_or_address(frame: str, name: str) -> None:
    assert sampled_as(frame) == name
