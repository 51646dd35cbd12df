"""The options of our models in FiftyOne's own operators of the model zoo."""
