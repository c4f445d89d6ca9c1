"""How the service is doing and how it is told: metrics, logs, traces, drift, readiness, and its end."""
