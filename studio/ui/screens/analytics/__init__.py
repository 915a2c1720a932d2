"""The analytics screen: all workflows, one run, one step, questions in words."""
