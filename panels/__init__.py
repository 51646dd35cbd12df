"""What a person looks at in the App: one module per panel, in Python.

`runs` shows what runs now, is scheduled, and ran; it can cancel, show samples and delete tracks.

Adding a panel: a module here with one `foo.Panel`, its class in `PANELS` below, its name in
`fiftyone.yml`, and a test that looks at it in the App. Panels show what `store` and `workflows`
know and call their functions; they know nothing of operators.
"""

from .runs import RunsPanel

PANELS = (RunsPanel,)
