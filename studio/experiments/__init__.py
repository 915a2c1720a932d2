"""Statistics of experiments on sufficient statistics: assignment, analysis, planning and the ship rule.

Absent on purpose: I/O, rows of raw data, time and chance of its own. Every answer is finite or None.
"""
