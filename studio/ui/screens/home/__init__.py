"""Home: what there is, what goes on, what to do next."""
