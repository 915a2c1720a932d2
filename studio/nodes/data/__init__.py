"""Working with what is known about people on their way."""
