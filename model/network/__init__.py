"""ACLNet in torch: input layers, backbone and heads. Needed to train and to export; what serves never imports it.

`config.NetworkConfig` (no torch) says what to build, `aclnet.AclNet` is the network, `aclnet.EncoderGraph` and
`aclnet.ClassifierGraph` are what is exported.
"""
