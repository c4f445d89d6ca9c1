"""Splits and pairings, as data."""
