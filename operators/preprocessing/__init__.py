"""*Preprocess videos*: small copies with a way back.

`preprocess_videos` has the operator, `preprocess_videos_form` its form and how its values
are read. The work: `workflows.preprocessing`.
"""
