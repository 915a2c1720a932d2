"""Pages and forms: what visitors see, and what starts when they answer. Absent on purpose: a web server."""
