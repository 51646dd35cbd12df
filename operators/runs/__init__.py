"""Looking at runs: *Show samples of a run*."""
