"""The look: tokens, the style made from them, icons recolored from them. No color or size stands outside this package."""
