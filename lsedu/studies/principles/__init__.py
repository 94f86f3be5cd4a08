"""Studies of part I: overconfidence, smoothing, its gradients, noise, and what else is said."""
