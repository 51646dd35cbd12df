"""The trackers themselves: how accurate, fast and lean they are, and what their constants are chosen by.

Accuracy is measured on clips with known tracks; `promotion` holds the rule by
which a tracker may become the default.
"""
