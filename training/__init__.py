"""Training, simulation, export and evaluation."""
