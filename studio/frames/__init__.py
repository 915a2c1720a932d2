"""The frames that cross package borders: their schemas, their bytes, and expressions compiled to Polars.

Lies just above `domain` so that nodes, engine, store and analytics agree on columns without importing each other.
Absent on purpose: reading or writing files.
"""
