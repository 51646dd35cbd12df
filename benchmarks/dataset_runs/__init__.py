"""Whole datasets: how fast runs are, how lean, how they scale, and what a fault leaves behind.

Scripts here work on datasets of FiftyOne with its real database, and count
what is stored afterwards.
"""
