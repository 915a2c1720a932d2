"""What starts a workflow. Absent on purpose: imports of files, which are sources."""
