"""*Adapt a tracker*: the operator and its form."""
