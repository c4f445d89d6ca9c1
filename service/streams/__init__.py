"""Frames of a camera come in, decisions on the people in them go out."""
