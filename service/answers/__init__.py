"""The bodies that the service answers with, typed once: for encoding and for the documentation."""
