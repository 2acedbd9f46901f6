"""One message taken apart into a tree of what stands at which octets, for people to read. Judging is the core's."""
