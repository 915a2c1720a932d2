"""The field's words as types. Absent on purpose: I/O, Qt, SQL, asyncio and frames read from disk."""
