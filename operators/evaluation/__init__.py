"""*Evaluate tracks*: the operator and its form."""
