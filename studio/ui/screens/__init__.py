"""The screens of the window, one module each.

Absent on purpose: the window they stand in (shell) and what they are made of (widgets, charts).
"""
