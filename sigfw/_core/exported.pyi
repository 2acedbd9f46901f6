"""PDUs that Wireshark exported (link type 252); framing calls it, Python sees the outcome in framing.frames.

A PDU stands behind tags of number, length and value. Read are a dissector's name (12): `sccp mtp3 mtp2 m3ua m2ua
m2pa sctp ip ipv4 ipv6 eth_withoutfcs eth_maybefcs`; a dissector table's name (14) with its value (32):
`mtp3.service_indicator sctp.ppi ip.proto ethertype`; SS7 OPC and DPC (28, 29). Any other protocol (`tcap`, `sua`, a
heuristic) is `unsupported`, but for those that hold no SCCP: `isup bicc mtp3mg diameter`. A second protocol in one
PDU is `duplicate`, none `missing`.
"""
