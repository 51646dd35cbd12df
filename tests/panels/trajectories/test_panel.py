"""What the panel answers to what a person does, without a browser: bad input above all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import numpy as np
import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

import point_tracking as pt
from point_tracking.panels.trajectories import plain_picture, scene
from point_tracking.panels.trajectories.panel import COMPONENT, TrajectoriesPanel
from point_tracking.workflows.lifecycle.background_runs import background_runs

MakeDataset = Callable[..., fo.Dataset]


class App:
    """Stands in for the page: keeps what the panel sends, and sends it back as the script does."""

    def __init__(self, dataset: fo.Dataset, sample_id: str | None, view: Any = None) -> None:
        self.dataset, self.view, self.sample_id = dataset, view if view is not None else dataset, sample_id
        self.state: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.asked: list[tuple[str, Any]] = []
        self.panel = TrajectoriesPanel()

    def send(self, event: str, **params: Any) -> App:
        """An event, with what the script adds to each."""
        state = SimpleNamespace(get=self.state.get, set=self.state.__setitem__)
        ctx = SimpleNamespace(
            dataset=self.dataset,
            view=self.view,
            current_sample=self.sample_id,
            selected_labels=params.pop("selected_labels", []),
            params={**{name: self.scene.get(name) for name in ("sample", "field", "stamp")}, **params},
            panel=SimpleNamespace(id="here", state=state, set_data=self.data.__setitem__),
            ops=self,
            trigger=lambda uri, params=(): self.asked.append((uri, params)),
        )
        getattr(self.panel, event)(ctx)
        return self

    def __getattr__(self, name: str) -> Any:
        """What is asked of the App."""
        return lambda *given, **params: self.asked.append((name, given or params))

    @property
    def scene(self) -> dict[str, Any]:
        return self.data.get("trajectories.scene", {})

    @property
    def status(self) -> dict[str, Any]:
        return self.data["trajectories.status"]

    def selected(self) -> dict[str, Any]:
        """The label that was selected in the player last."""
        uri, params = [one for one in self.asked if one[0].endswith("select_labels")][-1]
        assert uri == "@fo-video/point-tracking/select_labels", "a session in Python loses the page by the App's own"
        (label,) = params["labels"]
        return label

    def told(self) -> str:
        """What was said in messages."""
        return " ".join(str(given[0]) for name, given in self.asked if name == "notify")


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    dataset = make_dataset(clip)
    xy = np.tile([[20.0, 10.0], [30.0, 40.0], [60.0, 20.0]], (12, 1, 1))
    seen = np.ones((12, 3), bool)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, seen, seen * 1.0))
    return dataset


@pytest.fixture
def app(dataset: fo.Dataset) -> App:
    return App(dataset, dataset.first().id).send("on_load")


def _visible(dataset: fo.Dataset) -> np.ndarray:
    return pt.read_tracks(dataset.first(), "tracks").visible


def test_the_panel_is_registered() -> None:
    assert foo.operator_exists("@fo-video/point-tracking/point_trajectories")


def test_an_opened_video_is_sent_once(app: App) -> None:
    assert (app.scene["field"], app.scene["panel"], len(app.scene["tracks"])) == ("tracks", "here", 3)
    key = app.scene["key"]
    assert app.send("on_change_current_sample").scene["key"] == key
    assert app.send("look_again").scene["key"] != key


def test_a_picked_track_is_selected_in_the_video_and_back(app: App, dataset: fo.Dataset) -> None:
    app.send("pick", track=2, frame=5)
    label = app.selected()
    keypoint = dataset.first().frames[5].tracks.keypoints[1]
    assert (label["label_id"], label["frame_number"], label["sample_id"]) == (keypoint.id, 5, app.sample_id)
    selected = {**label, "field": "frames.tracks"}
    app.send("on_change_selected_labels", selected_labels=[selected])
    assert app.data["trajectories.picked"]["track"] == 2
    app.asked.clear()
    app.send("pick", track=2, frame=99)
    assert app.asked[0][0] == "clear_selected_labels"


def test_of_too_many_tracks_parts_are_shown(
    dataset: fo.Dataset, make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "MAX_TRACKS", 2)
    app = App(dataset, dataset.first().id).send("on_load")
    app.send("set_position", track=3, frame=5, x=0.5, y=0.25)

    def shown() -> list[int]:
        return [row["index"] for row in app.scene["tracks"]]

    assert (app.scene["part"], app.scene["parts"], shown()) == (1, 2, [1, 3])
    app.send("choose", part=2)
    assert (app.scene["part"], shown()) == (2, [2])
    assert app.status["pending"] == [3], "it is still to be followed again"
    app.send("look_again")
    assert shown() == [2]
    # a point of another part is clicked in the video
    app.send("choose", track=3)
    assert (app.scene["part"], shown(), app.status["text"]) == (1, [1, 3], None)
    assert app.send("look_again").scene["part"] == 1
    app.send("choose", part=2).send("choose", label="cat")
    assert (app.scene["part"], shown()) == (1, [])
    app.send("choose", track=3)
    assert "Track 3 is of another label or object" in app.status["text"]


def test_positions_are_set_hidden_and_taken_back(app: App, dataset: fo.Dataset) -> None:
    app.send("set_position", track=2, frame=5, x=0.5, y=0.25)
    at = pt.read_tracks(dataset.first(), "tracks").xy[4, 1]
    np.testing.assert_allclose(at, np.array([0.5, 0.25]) * media.SIZE, atol=1e-3)
    assert (app.status["pending"], app.status["stale"]) == ([2], True)
    assert app.scene["corrected"] == [[2, 5]]
    app.send("set_position", track=2, frame=6, x=1.0, y=1.0)  # the outer edge
    assert "wrong" not in app.told()
    np.testing.assert_allclose(pt.read_tracks(dataset.first(), "tracks").xy[5, 1], np.array(media.SIZE) - 1, atol=1e-3)
    app.send("wrong_from_here", track=1, frame=9)
    assert _visible(dataset)[:, 0].sum() == 8
    assert "Track 1 is hidden from frame 9 on: 4 points of 1 track in 4 frames" in app.status["text"]
    app.send("take_back")
    assert _visible(dataset).all()
    app.send("take_back")
    assert "no correction to take back" in app.told()


def test_tracks_are_followed_again_in_the_background(app: App, dataset: fo.Dataset) -> None:
    app.send("track_again", frame=3)
    assert "No point of this video was corrected yet" in app.told()
    app.send("set_position", track=2, frame=5, x=0.5, y=0.25)
    app.send("track_again", frame=3)
    assert app.status["running"]
    run = next(one for one in background_runs(dataset.name) if id(one) == app.state["run"])
    assert run.wait(60)
    app.asked.clear()
    app.send("on_tick", frame=3)
    assert run.told
    assert (app.status["running"], app.status["pending"], app.status["stale"]) == (False, [], False)
    assert "Tracked 1 track again from 1 correction" in app.status["text"]
    assert [name for name, _ in app.asked] == ["reload_samples", "@fo-video/point-tracking/open_sample_anew"]
    assert app.asked[-1][1] == {"id": app.sample_id, "frame": 3}
    # what is being edited in Annotate stays open
    app.asked.clear()
    app.state["run"] = id(run)
    app.send("on_tick", frame=None, annotating=True)
    assert (app.status["running"], app.status["stale"], app.asked) == (False, True, [])
    app.state["run"] = 1  # of an App that was started anew
    assert not app.send("on_tick", frame=3).status["running"]


def test_the_field_is_deleted_while_the_panel_is_open(app: App, dataset: fo.Dataset) -> None:
    dataset.delete_frame_field("tracks")
    app.send("set_position", track=2, frame=5, x=0.5, y=0.25)
    assert "not there any more" in app.told()
    assert "problem" in app.scene
    assert app.send("on_change_selected_labels", selected_labels=[{"frame_number": 1}]).asked


def test_the_field_is_written_anew_while_the_panel_is_open(app: App, dataset: fo.Dataset) -> None:
    other = pt.Tracks(np.full((12, 1, 2), 5.0), np.ones((12, 1), bool), np.ones((12, 1)))
    pt.write_tracks(dataset.first(), "tracks", other, overwrite=True)
    app.send("wrong_from_here", track=1, frame=1)
    assert "changed elsewhere meanwhile. Nothing was done" in app.told()
    assert _visible(dataset).all()
    assert len(app.scene["tracks"]) == 1
    app.send("wrong_from_here", track=1, frame=1)
    assert not _visible(dataset).any()


def test_a_click_shows_what_was_written_elsewhere(app: App, dataset: fo.Dataset) -> None:
    other = pt.Tracks(np.full((12, 1, 2), 5.0), np.ones((12, 1), bool), np.ones((12, 1)))
    key = app.send("pick", track=1, frame=1).scene["key"]
    assert not app.status["stale"]
    pt.write_tracks(dataset.first(), "tracks", other, overwrite=True)
    for event in ("pick", "look_closer"):
        app.send(event, track=1, tracks=[1], frame=1)
        assert len(app.scene["tracks"]) == 1
        assert app.scene["key"] != key
        assert (app.status["stale"], "changed elsewhere" in app.status["text"]) == (True, True)
        pt.hide_tracks(dataset.first(), "tracks", [1], 9)
    assert "trajectories.window" not in app.data, "it would be of other tracks"


def test_tracks_that_cannot_be_corrected_stay(app: App, dataset: fo.Dataset) -> None:
    field = dataset.get_field("frames.tracks")
    field.read_only = True
    field.save()
    app.send("set_position", track=2, frame=5, x=0.5, y=0.25)
    assert "read-only" in app.told()
    assert "read-only" in app.scene["locked"]
    assert pt.read_tracks(dataset.first(), "tracks").xy[4, 1].tolist() == pytest.approx([30, 40])


def test_a_database_user_who_may_only_read_sees_tracks_and_is_told(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationFailure("not authorized on fiftyone to execute command", 13)

    for name in ("update_one", "update_many", "insert_one", "bulk_write", "delete_many", "find_one_and_update"):
        monkeypatch.setattr(Collection, name, refuse)
    app = App(dataset, dataset.first().id).send("on_load").send("pick", track=2, frame=5)
    assert (len(app.scene["tracks"]), app.told()) == (3, "")
    for event in ("set_position", "wrong_from_here"):
        app.asked.clear()
        app.send(event, track=2, frame=5, x=0.5, y=0.25)
        assert "does not let this user write" in app.told()
    assert len(app.scene["tracks"]) == 3
    monkeypatch.undo()
    assert _visible(dataset).all()


def test_without_a_video_or_tracks_it_is_said(dataset: fo.Dataset, make_dataset: MakeDataset, tmp_path: Path) -> None:
    assert App(dataset, None).send("on_load").scene["problem"].startswith("No video is open")
    untracked = make_dataset(media.video(tmp_path / "other.mp4", num_frames=3))
    assert "Use 'Track points' first" in App(untracked, untracked.first().id).send("on_load").scene["problem"]
    images = make_dataset(media.picture_file(tmp_path / "picture.png"))
    assert "no video" in App(images, images.first().id).send("on_load").scene["problem"]


def test_a_clip_shows_its_video(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="run", support=[3, 6])])
    sample.save()
    clips = dataset.to_clips("events")
    clip_id = clips.first().id
    app = App(dataset, clip_id, clips).send("on_load")
    assert (app.scene["sample"], app.scene["num_frames"]) == (sample.id, 12)
    app.send("pick", track=2, frame=5)
    assert app.selected()["sample_id"] == clip_id
    app.send("wrong_from_here", track=1, frame=5)
    assert _visible(dataset)[:, 0].sum() == 4


def test_the_video_of_a_group_is_shown(tmp_path: Path) -> None:
    dataset = fo.Dataset()
    group = fo.Group()
    dataset.add_group_field("group", default="left")
    paths = {name: media.video(tmp_path / f"{name}.mp4", num_frames=4) for name in ("left", "right")}
    paths["still"] = media.picture_file(tmp_path / "still.png")
    dataset.add_samples([fo.Sample(filepath=str(path), group=group.element(name)) for name, path in paths.items()])
    right = dataset.select_group_slices("right").first()
    seen = np.ones((4, 2), bool)
    pt.write_tracks(right, "tracks", pt.Tracks(np.full((4, 2, 2), 9.0), seen, seen * 1.0))
    app = App(dataset, right.id).send("on_load")
    assert (app.scene["sample"], len(app.scene["tracks"])) == (right.id, 2)
    app.send("set_position", track=2, frame=2, x=0.5, y=0.5)
    assert app.scene["corrected"] == [[2, 2]]
    left = dataset.select_group_slices("left").first()
    assert "no tracks" in App(dataset, left.id).send("on_load").scene["problem"]
    # the player shows another video of the group, which the App does not tell
    app = App(dataset, left.id).send("on_load").send("show_slice", opened=right.id)
    assert (app.scene["sample"], app.scene["opened"], len(app.scene["tracks"])) == (right.id, right.id, 2)
    app.send("pick", track=2, frame=2)
    assert app.selected()["sample_id"] == right.id
    key = app.send("set_position", track=1, frame=3, x=0.5, y=0.5).scene["key"]
    assert app.send("show_slice", opened=right.id).scene["key"] == key, "it is shown already"
    assert pt.read_tracks(right, "tracks").xy[2, 0].tolist() == pytest.approx(np.array(media.SIZE) / 2, abs=0.01)
    app.sample_id = right.id
    app.send("on_change_current_sample")
    app.sample_id = left.id
    assert app.send("on_change_current_sample").scene["opened"] == left.id
    still = dataset.select_group_slices("still").first()
    assert "no video" in App(dataset, still.id).send("on_load").scene["problem"]
    dataset.delete()


def _shown(app: App) -> dict[str, Any]:
    state = SimpleNamespace(get=app.state.get, set=app.state.__setitem__)
    return TrajectoriesPanel().render(SimpleNamespace(panel=SimpleNamespace(state=state))).type.properties


def test_without_the_script_a_plain_picture_is_shown(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(_shown(app)) == {"trajectories", "wait"}
    assert _shown(app)["trajectories"].view.component == COMPONENT
    app.send("script_is_here", missing=[])
    assert set(_shown(app)) == {"trajectories"}
    app.send("script_is_late")
    assert set(_shown(app)) == {"trajectories"}, "it is there"
    app.state["script"] = None  # as a page knows it to which the answer has not come yet
    app.send("script_is_late")
    assert app.state["script"] is None
    app.send("script_is_here", missing=["modalLooker"])
    assert set(_shown(app)) == {"plain", "plot"}
    assert "no modalLooker" in _shown(app)["plain"].view.label
    assert len(app.data["plot"]) == 4, "a frame and three lines"
    app.send("pick_in_plot", id="3:7")
    assert app.selected()["frame_number"] == 7
    app.asked.clear()
    app.send("on_load").send("script_is_late")
    assert "did not load" in _shown(app)["plain"].view.label
    app.send("pick_in_plot", id="3:7")
    assert [name for name, _ in app.asked] == ["notify"], "no script, nothing that selects"
    assert "Track 3 in frame 7" in app.told()
    monkeypatch.setattr(plain_picture, "MAX_LINES", 2)
    app.send("on_load").send("script_is_late")
    assert len(app.data["plot"]) == 3
    assert _shown(app)["told_0"].view.label == "2 of 3 tracks are drawn, evenly chosen"
