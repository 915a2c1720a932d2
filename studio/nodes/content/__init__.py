"""Texts made for each person, to be used by later steps."""
