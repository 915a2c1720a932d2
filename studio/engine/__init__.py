"""Runs workflows: what is due when, stages between durable points, the outbox, clocks and the engine's own thread.

Absent on purpose: SQL, Qt, and any node type by name.
"""
