"""The composition root and the use cases, one module a story: the one Qt-free API of window, command line and tests.

It wires and delegates. Absent on purpose: computing anything.
"""
