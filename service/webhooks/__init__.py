"""Tells of decisions by HTTP: signed, retried, and never to where the caller who asked for it has no business."""
