"""Templates, index and decision: who is it, or nobody we know."""
