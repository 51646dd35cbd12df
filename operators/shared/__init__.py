"""What several operators share: the base class, work in the background, fields of forms.

`samples_operator` is the base of operators over samples, `background` runs long work in a
thread and shows results and errors, `forms` has the fields that forms share,
`tracker_form` the choice of a tracker.
"""
