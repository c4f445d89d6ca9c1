"""What a skeleton is, what a bundle is, and how a bundle is run."""
