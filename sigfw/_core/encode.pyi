"""What leaves the core: JSON, packed entries, replies. Called by the engine without the GIL; Python sees the names."""

NAMES: dict[str, list[str]]
"""The core's tables of names, each under the name it has in sigfw/names.py; the index is the number."""

def names() -> dict[str, list[str]]:
    """Make NAMES."""
