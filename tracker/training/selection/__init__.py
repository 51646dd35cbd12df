"""Fits the estimate that pt-fused-2 chooses by, on made-up clips of drawn and freely licensed pictures.

`python -m point_tracking.tracker.training.selection --out estimate.npz` makes the clips
(`clips`, `photographs`), reads their candidates with the weights that ship, fits
the trees and the table of confidences (`fitting`) and writes the file. The seeds
are fixed: the same machine writes the same file. scikit-learn and scikit-image
are needed here and nowhere else.
"""
