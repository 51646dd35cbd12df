"""Propagate labels: the operator in the grid and in an open sample, and its form."""
