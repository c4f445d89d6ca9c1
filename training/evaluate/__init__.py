"""Evaluation through the path that ships."""
