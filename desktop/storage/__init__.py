"""SQLite: one writer thread, read-only readers. Nothing else in the program knows SQL."""
