"""What leaves the core: JSON, packed entries, replies. Called by the engine without the GIL; Python sees the names."""

def names() -> dict[str, list[str]]:
    """The core's tables of names by the name they have in sigfw/names.py; the index is the number."""
