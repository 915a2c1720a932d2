"""Messages. Absent on purpose: handing them over, which is the engine's and the connectors'."""
