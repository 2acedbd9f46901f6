"""Files that are mapped into memory: whether one is as it was written."""

def checksum(octets: memoryview) -> int:
    """64 bits over all octets: any one altered octet makes another, and any damage does but once in 2**64 or so.

    Against accidents, not against who can write the file, and so can write the sum. Cost: as fast as memory is read.
    """
