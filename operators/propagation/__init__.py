"""Carrying labels through videos: the operator, in the grid's toolbar and in that of an open sample, and its form.

The run itself: `workflows.propagation`; the Annotate tab in which its labels are corrected: `store.labels.annotation`.
An option that needs no input of its own describes itself in `workflows.propagation.options`.
"""
