"""Where the points to track come from: one module per kind, each returns `Queries`.

Adding a query kind: write a function here that takes sizes in pixels and
returns `Queries` with a fitting `origin`; hand its name on in the root
`__init__`; let `workflows/tracking/prompts.py` read what it needs from a sample.
"""

from .dense import dense_queries
from .grid import grid_queries
from .inside import inside_queries
from .points import point_queries

__all__ = ["dense_queries", "grid_queries", "inside_queries", "point_queries"]
