"""*Preprocess videos*: the operator and its form."""
