"""What one training step computes: a batch and a model in, a loss out.

`losses` are those of the published recipe, `pairs` trains the encoder to match far-apart frames, `unroll` runs the
whole model over the windows of clips.

Another kind of step: a module here, its name in `configs.STAGE_KINDS`, called in `fitting.train`.
"""
