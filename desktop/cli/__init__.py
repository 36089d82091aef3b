"""The command: one module for each group of commands."""

COMMANDS = ("doctor", "import", "keys", "list", "providers", "show", "summarize", "try")
"""Their names, here so that the program can tell a command from a file without loading any of them."""
