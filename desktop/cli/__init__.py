"""The command: one module for each group of commands."""

COMMANDS = {
    "batches": "batches",
    "doctor": "doctor",
    "erase": "erase",
    "export": "export",
    "import": "imports",
    "keys": "keys",
    "ledger": "operations",
    "list": "tickets",
    "mappings": "mappings",
    "preview": "preview",
    "providers": "providers",
    "recipes": "recipes",
    "show": "tickets",
    "stats": "operations",
    "summarize": "summaries",
    "try": "tryout",
    "verify": "verify",
    "watch": "watching",
}
"""Their names and modules, here so that the program can tell a command from a file without loading any of them."""
