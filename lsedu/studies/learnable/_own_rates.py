"""Learning rates of the methods' own, for the MLP of `contest`, and what they were chosen from."""

#: Mean accuracy on 5,000 validation pictures of seeds 10 and 11, by method and rate.
TRIED: dict[str, dict[float, float]] = {
    "one-hot": {0.0125: 0.8461, 0.025: 0.8559, 0.05: 0.8595, 0.1: 0.8621, 0.2: 0.8463},
    "ls": {0.025: 0.8556, 0.05: 0.8647, 0.1: 0.8641},
    "focal": {0.025: 0.8489, 0.05: 0.855, 0.1: 0.8572, 0.2: 0.8436},
    "tf-kd": {0.025: 0.8541, 0.05: 0.8632, 0.1: 0.8598},
    "ols": {0.025: 0.8526, 0.05: 0.8615, 0.1: 0.8657, 0.2: 0.8621},
    "lls": {0.025: 0.8646, 0.05: 0.8671, 0.1: 0.8514, 0.2: 0.7577},
    "lls-half": {0.025: 0.8576, 0.05: 0.8625, 0.1: 0.8644, 0.2: 0.8526},
    "ls++": {0.025: 0.8546, 0.05: 0.8639, 0.1: 0.8654},
}

#: The best rate of each method.
RATES: dict[str, float] = {method: max(tried, key=tried.__getitem__) for method, tried in TRIED.items()}
