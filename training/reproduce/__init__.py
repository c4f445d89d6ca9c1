"""Every table and figure of the paper, by one command: train, test, and set ours beside the published figures."""
