"""Settings of this computer and of sending."""
