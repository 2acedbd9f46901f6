"""Pseudonyms against hashlib's HMAC."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw._core.pseudonym import hmac64


@given(st.binary(max_size=64), st.binary(max_size=55))
def test_hmac64_is_hashlibs(secret: bytes, text: bytes) -> None:
    assert hmac64(secret, text) == hmac.new(secret, text, hashlib.sha256).digest()[:8]


@pytest.mark.parametrize(("secret", "text"), [(b"k" * 65, b""), (b"k", b"1" * 56)])
def test_hmac64_beyond_one_block_is_refused(secret: bytes, text: bytes) -> None:
    with pytest.raises(ValueError, match="at most"):
        hmac64(secret, text)
