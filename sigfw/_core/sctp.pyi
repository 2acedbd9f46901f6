"""SCTP; framing calls it, Python sees the outcome in framing.frames.

A chunk's user message is of an adaptation layer where the payload protocol identifier says so (2 to 5, in either byte
order), or where a port does (2904, 2905, 3565, 14001) and the message begins as one, or names no protocol (0).
Checksums are not looked at: hosts leave them to the network card, so that captures made there hold none.
"""
