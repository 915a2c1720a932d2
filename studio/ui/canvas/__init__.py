"""The Canvas page: the workflow as a graph that is edited, watched while it runs, and scrubbed through afterwards."""
