"""What speed, memory and accuracy are measured by, in rooms by what is measured; figures stand in `results/`.

Scripts are run by their path (`python benchmarks/trackers/accuracy.py`) or by
`make bench`; `harness` holds what they share.
"""
