"""Everything the product can do, as async functions and generators; the window and the command only read them."""
