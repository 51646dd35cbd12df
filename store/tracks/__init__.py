"""Point tracks of a video sample: their documents, their way into the database and back.

`videos` is a sample as a video (its size, its metadata), `keypoints` the documents that
tracks become, `keypoint_bytes` the same already encoded, `writer` and `reader` the two
ways, `sample_status` the mark that says whether a sample is finished, `source_links`
where a preprocessed copy comes from.

Changing what is stored: `keypoints` and `keypoint_bytes` (a test compares them), then
`reader`, and the table in the README.
"""
