"""TLDesk: drop a ticket export, read what your customers need, every sentence traceable to its message."""

__version__ = "0.1.0"
