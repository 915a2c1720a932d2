"""Benchmarks of the use cases; `groups.py` names them."""
