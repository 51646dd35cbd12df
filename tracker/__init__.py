"""The engine: videos and queries in, tracks out, and their way into FiftyOne.

Dependencies point one way only: `types`, `errors`, `coordinates` <- `queries`,
`video`, `models` <- `engine` <- `dataset`. Only `dataset` imports fiftyone.
"""
