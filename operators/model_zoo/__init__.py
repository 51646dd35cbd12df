"""The options of our models in FiftyOne's own operators of the model zoo.

`model_form` is the hook that FiftyOne asks for the form of a model (*Apply zoo model*);
the names are those of `workflows.model_zoo.model.load_model`.
"""
