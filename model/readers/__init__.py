"""One file a format: keypoint files to skeleton sequences."""
