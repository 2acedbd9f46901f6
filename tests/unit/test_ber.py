"""ber.pxd through the messages it reads: forms of length and tag (X.690 8.1)."""

import pytest
from tcapbytes import ATI, ATI_ACN, Form, begin, encode, indefinite, invoke, long, short

from sigfw._core.mapop import parse

MESSAGE = begin(invoke(71, ATI), acn=ATI_ACN)


@pytest.mark.parametrize(
    "form", [indefinite, long(1), long(2), long(4), long(9)], ids=["indefinite", "81", "82", "84", "89"]
)
def test_message_reads_the_same_in_any_form_of_length(form: Form) -> None:
    assert parse(encode(MESSAGE, form)) == parse(encode(MESSAGE))
    assert parse(encode(MESSAGE))["error"] is None


def test_message_reads_the_same_with_high_tag_numbers() -> None:
    def high(tag: bytes, content: bytes) -> bytes:
        return short(bytes([tag[0] | 0x1F, tag[0] & 0x1F]) if tag[0] & 0x1F != 0 else tag, content)

    assert parse(encode(MESSAGE, high)) == parse(encode(MESSAGE))


def test_message_cut_anywhere_is_an_error() -> None:
    octets = encode(MESSAGE)
    for end in range(1, len(octets)):
        assert parse(octets[:end])["error"] is not None, end


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        ("6205480401", "length_overrun"),
        ("62ff4804", "bad_length"),
        ("628500ffffffff48", "length_overrun"),
        ("62804804000000010000", ""),
        ("628048040000000100", "truncated"),
        ("6206488000010000", "bad_length"),
        ("620648040000000100", "trailing"),
        ("62021f81", "truncated"),
        ("62021f80", "bad_tag"),
        ("62051fffffff7f", "bad_tag"),
        ("62020000", "bad_tag"),
    ],
)
def test_broken_encoding_is_named(octets: str, code: str) -> None:
    error = parse(bytes.fromhex(octets))["error"]
    assert (error[1] if error else "") == code


def test_lengths_nested_beyond_the_bound_are_a_limit() -> None:
    """What it costs is measured by bench/worst.py."""
    deep = encode((0x62, b"\x6b\x80" * 2000 + b"\0\0" * 2000))
    assert "limit_exceeded" in parse(deep)["exceptions"]
