"""Flowlight Studio: a workflow studio for marketers that runs on one computer."""

__version__ = "0.1.0"
