"""What labels say of whole tracks rather than of one position.

Attributes that each keypoint of a track carries (`attributes`), and what tracks say besides
where they are (`details`): nodes, positions that a person gave, what a view shows of them.
"""
