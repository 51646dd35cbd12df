"""One clip: from a video and queries to tracks of the frames that were asked for."""
