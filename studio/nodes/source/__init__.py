"""Where contacts come from when they are brought along in a file."""
