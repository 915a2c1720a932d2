"""What happened, in numbers: funnel, key figures, return against prediction, increment, experiment results.

Reads rollups and distinct counts first and the raw events of one run only where a person's sum is needed.
Absent on purpose: writing anything, and deciding how a number is drawn.
"""
