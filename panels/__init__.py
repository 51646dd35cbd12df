"""What a person looks at in the App: one module per panel, none yet.

Adding a panel: a module here with one `foo.Panel`, its class in a tuple `PANELS` that the
root's `register` registers, its name in `fiftyone.yml`. Panels show what `store` and
`workflows` know; they compute nothing.
"""
