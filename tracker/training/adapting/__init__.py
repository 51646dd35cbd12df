"""Training a tracker further on unlabelled videos, and asking whether it became better.

Read `options` (imports without torch, for forms), `adaptation` (the run), `held_out` (videos it is not trained on, and
the rule by which a result is kept).

An option: a field of `AdaptationOptions` with its check; the form and `workflows.adaptation` read it from there.
"""
