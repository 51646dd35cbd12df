"""The fields that hold motion, as the App's sidebar needs them."""

from __future__ import annotations

import fiftyone as fo

import point_tracking as pt
from point_tracking.tracker.motion.description import FIGURES
from point_tracking.workflows.lifecycle.sidebar import GROUP, group_notes
from point_tracking.workflows.motion.motion_fields import save_motion_views
from point_tracking.workflows.motion.options import MotionOptions


def test_every_figure_is_declared_with_its_meaning(dataset: fo.Dataset):
    pt.describe_motion(dataset.limit(1), "tracks")
    schema = dataset.get_field_schema(flat=True)
    assert all(schema[f"tracks_motion.{figure.name}"].description == figure.meaning for figure in FIGURES)
    assert isinstance(schema["tracks_motion.pan"], fo.FloatField)
    assert isinstance(schema["tracks_motion.camera"], fo.StringField)


def test_the_sidebar_shows_figures_and_spans_in_their_group(dataset: fo.Dataset):
    pt.describe_motion(dataset.limit(1), "tracks")
    group_notes(dataset)
    group = next(g for g in dataset.app_config.sidebar_groups if g.name == GROUP)
    assert "tracks_motion.camera" in group.paths
    assert "tracks_motion_events" in group.paths
    assert not any(path.startswith("tracks_motion_events.") for path in group.paths)


def test_views_of_what_is_gone_go_too(dataset: fo.Dataset):
    pt.describe_motion(dataset, "tracks")
    assert "tracks_motion: camera static" in dataset.list_saved_views()
    dataset.delete_samples(dataset.skip(1).limit(1).values("id"))
    names = save_motion_views(dataset, MotionOptions(label_field="tracks"))
    assert "tracks_motion: camera static" not in dataset.list_saved_views()
    assert set(names) <= set(dataset.list_saved_views())
