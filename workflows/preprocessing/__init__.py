"""Preprocessing: small copies of videos, with an exact way back to the frames of their sources.

`preprocess_dataset` is the public function and the run, `options` what it is told,
`targets` where copies go and what is in the way, `preprocessed_videos` their way into the
database, `report` what the run did. How a video is copied: `tracker.transcoding`.
"""
