"""What several families of trackers need: frames, precision, memory, weights files."""
