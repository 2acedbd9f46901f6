"""M3UA, M2UA, M2PA, MTP2 and MTP3; framing calls it, Python sees the outcome in framing.frames.

The class of a message decides which of the layers it is (one registry holds the classes of all of them: RFC 4666 3.1.2,
RFC 3331 3.1.3, RFC 4165 2.1), not the payload protocol identifier of the chunk, which a receiver need not look at.

- M3UA DATA, M2UA Data and retrieved messages, M2PA User Data hold messages of MTP3; of these only SCCP (service
  indicator 3) is read. What else the layers say is no SCCP.
- SUA's data (RFC 3868: classes 7 and 8) and M2UA's TTC protocol data are `unsupported`.
- A second message, or a second protocol data, in one chunk: the first is read, with `trailing` or `duplicate`.
- Point codes above 24 bits or a network indicator above 2 bits in M3UA are `bad_value`: who reads them would cut them.
"""
