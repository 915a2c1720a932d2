"""Template catalogue, business context, ranking, filling in, prediction and learning. See README.md in this folder.

Absent on purpose: running workflows, the store (results and promoted defaults are arguments), and network access.
"""
