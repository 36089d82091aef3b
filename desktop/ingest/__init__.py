"""Bytes to rows to tickets."""
