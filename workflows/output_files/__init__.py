"""What runs share that make a file of each video.

`folders` says where files may go and what they are called, `side_by_side` works on several videos at a time, and
`media_field` makes the App offer the files beside the videos themselves.
"""
