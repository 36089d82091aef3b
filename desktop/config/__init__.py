"""Paths, settings, secrets and logs."""
