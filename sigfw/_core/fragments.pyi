"""IP fragments and SCTP user messages put together; framing calls it, Python sees the outcome in framing.frames.

A datagram is one by addresses, identification and (IPv4) protocol (RFC 791 3.2, RFC 8200 4.5); a user message by ports,
verification tag, stream, U bit and stream sequence number, in TSN order (RFC 9260 6.9), or message identifier, in FSN
order (RFC 8260 2.1). Addresses take no part in the latter: a multi-homed sender may spread a message over its paths.

- Parts come in any order. A repeated part changes nothing; when all parts of what was whole come again, it is given
  again. After that, or where parts differ from those of a whole one, the numbers stand for something new.
- A part that differs where another stood refuses the whole (`duplicate`), and so every further part of it: what a
  receiver would make of it is not ours to guess.
- What never becomes whole is told with the frame of its last part: at the end, or after 65,536 frames without a part
  (`missing`), or when something newer needs the room (`too_many`: 4,096 of them, or 16 MiB). A user message of more
  than 1,024 parts or 65,536 octets is `too_many`, too.
"""
