"""ACLNet in torch."""
