"""Propagation: labels drawn in a few frames are carried to the others, and again after each correction.

`propagate_labels` is the public function and the run, `options` what it is told, `plan` what has to be done in a
sample, told from its stored labels alone, `memory` what an earlier run made from what, `passes` which stretches are
tracked together, `propagate_sample` one sample from reading to writing, `report` the numbers. How a shape is carried:
`tracker.propagation`; which labels are one object: `store.labels.objects`; labels as shapes: `store.labels.shapes`;
writing them where nobody changed them meanwhile: `store.database.label_lists`.
"""
