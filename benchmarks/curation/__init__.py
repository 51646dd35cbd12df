"""What curators do with tracks: labels carried and corrected, tracks to check, motion described, trajectories seen.

Truth comes from synthetic clips whose objects and cameras are known, or from
the clips with known tracks.
"""
