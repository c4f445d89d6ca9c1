"""Simulated walkers and actions: data that anybody may use."""
