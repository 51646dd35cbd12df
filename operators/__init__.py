"""What a person can start in the App: one module per operator, no arithmetic.

Adding an operator
1. A module here with one `foo.Operator`: its form (`resolve_input`), `execute`,
   and `__call__`, which calls the public function that does the work.
2. Its class in `OPERATORS` below, its name in `fiftyone.yml`.
3. Fields that several forms share live in `forms`.
4. A test through `foo.execute_operator` in `tests/operators`, and one line in the README.
"""

from .adaptation.adapt_tracker import AdaptTracker
from .evaluation.evaluate_tracks import EvaluateTracks
from .preprocessing.preprocess_videos import PreprocessVideos
from .runs.show_run_samples import ShowRunSamples
from .tracking.track_points import TrackOpenSample, TrackPoints

OPERATORS = (TrackPoints, TrackOpenSample, PreprocessVideos, EvaluateTracks, AdaptTracker, ShowRunSamples)
