"""What a person said is right about tracks, as it is stored on their keypoints, and changes of some tracks of a sample.

Reads best in this order: `corrections` (one correction, and reading them), `frame_edits` (the document of a frame with
some of its tracks changed), `sample_edit` (the frames of a sample changed as one, and taken back).

A corrected keypoint carries `keyframe=True` and `corrected=True`; in the layout "objects" `corrected` is a list with
one value per point. Which tracks a person hid where is kept in the sample's mark, as `hidden`.
"""
