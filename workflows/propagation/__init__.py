"""Propagation: labels drawn in a few frames are carried to the others, and again after each correction.

`propagate_labels` is the public function and the run, `options` what it is told, `report` the numbers, `overview` what
a run would do, for a form. `propagate_sample` takes one sample from reading to writing: `stored_labels` reads,
`planning` tells what has to be done, `passes` tracks, `changes` tells what is written. How a shape is carried:
`tracker.propagation`; labels as shapes: `store.labels.shapes`; writing them where nobody changed them meanwhile:
`store.database.label_lists`.
"""
