"""Providers reached through the openai SDK at a base URL."""
