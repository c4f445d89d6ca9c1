"""Long work beside the requests: who is at it, and how it is asked for and told of."""
