"""SCTP; framing calls it, Python sees the outcome in framing.frames.

A chunk's user message is of an adaptation layer where the payload protocol identifier says so (2 to 5, in either byte
order), where it says nothing (0) and a port does (2904, 2905, 3565, 14001), or where the message begins as one: version
1 and a length that fits. A receiver need not look at the identifier, so it cannot hide a message.
Checksums are not looked at: hosts leave them to the network card, so that captures made there hold none.
"""
