"""Keyed pseudonyms of identities: HMAC-SHA-256, first 8 octets (RFC 2104, FIPS 180-4)."""

def hmac64(secret: bytes, text: bytes) -> bytes:
    """The pseudonym's 8 octets, as the core writes them after `hmac:`.

    secret: at most 64 octets; text: at most 55 (digits are at most 32). Raises ValueError beyond.
    """
