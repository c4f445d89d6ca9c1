"""Data sets as they are distributed, to skeleton sequences."""
