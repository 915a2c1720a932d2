"""Who goes on: rules about contacts, and whether they may be written to."""
