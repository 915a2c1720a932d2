"""The experiments screen: the finding first, then what it rests on; the planner."""
