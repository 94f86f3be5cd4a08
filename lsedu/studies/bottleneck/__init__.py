"""Studies of part II: planes of trained networks, the variational bottleneck, contradicting labels."""
