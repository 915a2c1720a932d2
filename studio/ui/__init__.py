"""The window: tokens, theme, shell, widgets, charts and screens. The only package that knows Qt."""
