"""Experiments: who gets which variant, and who is left alone for comparison. Absent on purpose: statistics."""
