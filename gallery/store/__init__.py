"""The durable truth: subjects, templates and the change log."""
