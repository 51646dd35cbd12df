"""What a person looks at in the App: one module or folder per panel, in Python.

`runs` shows what runs now, is scheduled, and ran; it can cancel, show samples and delete tracks.
`trajectories` shows the tracks of the open video as lines that follow the player, and corrects them by clicks; its
drawing is a script in `assets/trajectories`.

Adding a panel: a module here with one `foo.Panel`, its class in `PANELS` below, its name in
`fiftyone.yml`, and a test that looks at it in the App. Panels show what `store` and `workflows`
know and call their functions; they know nothing of operators.
"""

from .runs import RunsPanel
from .trajectories.panel import TrajectoriesPanel

PANELS = (RunsPanel, TrajectoriesPanel)
