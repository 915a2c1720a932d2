"""The way through a workflow: branching, waiting, the goal and the end."""
