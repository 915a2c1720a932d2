"""Who is there: people, their history, and how a list comes in."""
