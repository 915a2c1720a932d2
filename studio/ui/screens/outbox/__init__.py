"""The send ledger: what went out, what is in doubt or held, what came back."""
