"""sigfw: a streaming SS7 signalling firewall."""

__version__ = "0.1.0"
