"""What a person can start in the App: a folder for each workflow, with its operators and their forms.

Adding an operator
1. A module in the folder of its workflow (`operators/tracking` for `workflows/tracking`, ...)
   with one `foo.Operator`: its form (`resolve_input`), `execute`, and `__call__`, which calls the public
   function that does the work; no arithmetic. A long form gets a module `<operator>_form` beside it.
   One that works through samples is a `shared.samples_operator.SamplesOperator`: it says its name, title and
   place, and brings `build_form`.
2. Its class in `OPERATORS` below, its name in `fiftyone.yml`.
3. Fields that several forms share live in `shared.forms`; an option that needs nothing
   special describes its own input (`workflows.lifecycle.options.FormInput`).
4. A test through `foo.execute_operator` in `tests/operators`, and one line in the README.
"""

from .adaptation.adapt_tracker import AdaptTracker
from .correction.correct_point import CorrectPoint, RetrackCorrections
from .correction.edit_points import CorrectOpenSample, HidePoints, KeepTracks, RemoveTracks, UndoCorrection
from .correction.suggest_points import SuggestPoints
from .evaluation.evaluate_tracks import EvaluateTracks
from .exchange.export_tracks import ExportTracks
from .exchange.import_tracks import ImportTracks
from .motion.describe_motion import DescribeMotion
from .preprocessing.preprocess_videos import PreprocessVideos
from .propagation.propagate_labels import PropagateLabels, PropagateOpenSample
from .rendering.render_trails import RenderOpenSample, RenderTrails
from .runs.show_run_samples import ShowRunSamples
from .tracking.track_points import TrackOpenSample, TrackPoints

OPERATORS = (
    TrackPoints,
    TrackOpenSample,
    PropagateLabels,
    PropagateOpenSample,
    HidePoints,
    RemoveTracks,
    KeepTracks,
    CorrectPoint,
    RetrackCorrections,
    UndoCorrection,
    SuggestPoints,
    CorrectOpenSample,
    PreprocessVideos,
    EvaluateTracks,
    DescribeMotion,
    RenderTrails,
    RenderOpenSample,
    AdaptTracker,
    ExportTracks,
    ImportTracks,
    ShowRunSamples,
)
