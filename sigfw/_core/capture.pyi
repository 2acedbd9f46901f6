"""Classic pcap and pcapng; framing calls it, Python sees the outcome in framing.frames."""
