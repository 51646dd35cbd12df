"""Finding like motion with FiftyOne's own brain: "sort by similarity" in the grid, and the Embeddings panel."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.brain as fob

from ...store.database.connection import write_permission
from ...store.database.fields import owner_of
from ...store.runs.outcomes import count_of
from ...store.tracks.videos import videos_of
from ...tracker.errors import FieldError, MotionError
from .options import MotionOptions

# PCA needs nothing that FiftyOne does not bring; UMAP would need umap-learn
METHOD = "pca"
_LEAST_SAMPLES = 3


def index_motion(dataset: fo.Dataset, label_field: str | None = None) -> tuple[str, str]:
    """Makes the motion of described samples something to sort by and to look at.

    Args:
        dataset: after `describe_motion`
        label_field: as it was told; None = of the helper grid

    Returns:
        the brain keys of the similarity index and of the visualization; those of an earlier call are replaced

    Raises:
        FieldError: if this dataset was not described
        MotionError: if fewer than three samples were
        DatabaseError: if the database lets this user only read
    """
    options = MotionOptions(label_field=label_field)
    name = options.vector_field
    field = dataset.get_field(name)
    if field is None or owner_of(field) is None:
        raise FieldError(f"There is no field {name!r} of vectors. Describe the motion of this dataset first")
    described = videos_of(dataset).exists(name)
    if len(described) < _LEAST_SAMPLES:
        found = count_of(len(described), "described sample")
        raise MotionError(f"Like motion needs at least {_LEAST_SAMPLES} described samples, and found {found}")
    keys = (f"{options.motion_field}_similarity", f"{options.motion_field}_embeddings")
    with write_permission():
        for key in keys:
            if key in dataset.list_brain_runs():
                dataset.delete_brain_run(key)
        fob.compute_similarity(
            described, embeddings=name, brain_key=keys[0], backend="sklearn", metric="euclidean", progress=False
        )
        fob.compute_visualization(
            described, embeddings=name, brain_key=keys[1], method=METHOD, num_dims=2, verbose=False, progress=False
        )
    return keys
