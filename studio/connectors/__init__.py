"""What reaches outside: mail, its catcher, web pages, secrets. Imports domain only; each connector ships its fake.

Absent on purpose: retrying, pacing and bookkeeping, which are the engine's; and Qt, SQL and frames.
"""
