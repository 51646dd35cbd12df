"""Propagation: labels drawn in a few frames are carried to the others, and again after each correction.

`propagate_labels` is the public function and the run, `options` what it is told, `report` the numbers;
`propagate_sample` takes one sample from reading to writing; `stored_labels` reads what its plan is made from, for a
form too. Without database or video: `plan` tells what has to be
done, from `identities` (which labels are one object), `prompts` (their shapes) and `memory` (what an earlier run made
from what, and which copies of prompts it wrote); `changes` tells what is written. `passes` tracks. How a
shape is carried: `tracker.propagation`; labels as shapes: `store.labels.shapes`; writing them where nobody changed them
meanwhile: `store.database.label_lists`.
"""
