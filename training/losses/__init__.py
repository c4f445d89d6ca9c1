"""The losses of ACLNet: cross-entropy, inter-class affinity and intra-class marginal contrast."""
