"""IPv4 and IPv6; framing calls it, Python sees the outcome in framing.frames.

What is neither SCTP nor SCTP in UDP (port 9899) is no SCCP: tunnels (IP in IP, GRE, GTP) are not looked into. Fragments
of SCTP packets are put together; the first fragment of one in UDP is `unsupported`. Checksums are not looked at.
"""
