"""Looking at runs and at what became of their samples.

`show_run_samples` shows the samples of a run that had an outcome. What a run is and where
its report comes from: `workflows.lifecycle`.
"""
