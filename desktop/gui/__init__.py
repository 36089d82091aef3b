"""The window: panes, models, theme. The only package that knows Qt."""
