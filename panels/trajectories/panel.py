"""The panel itself: what it answers to what a person does, and what it asks of the App."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...store.database.frame_documents import FrameStore
from ...store.tracks.sample_status import read_marks
from ...store.tracks.videos import dataset_of, opened_video
from ...tracker.errors import FieldError, PointTrackingError
from ...workflows.correction.edit_tracks import undo_correction
from ...workflows.correction.points import fields_with_tracks
from ...workflows.lifecycle.app_words import in_app_words
from ...workflows.lifecycle.background_runs import BackgroundRun, background_runs
from .edits import following_again, hide_track_from, keypoint_id_of, place_track, track_of_keypoint
from .plain_picture import add_plain_picture, plain_notes, plotly_traces
from .scene import Choice, build_scene, build_window, opened_scene, stamp_of, why_locked

NAME = "point_trajectories"
# of the script; registered in assets/trajectories/component.js
COMPONENT = "PointTrajectories"
_OPEN_ANEW = "@fo-video/point-tracking/open_sample_anew"
# the App's own `set_selected_labels` sends what makes a session in Python lose the page, and set it back later
_SELECT_LABELS = "@fo-video/point-tracking/select_labels"
_SCRIPT_WAIT_MS = 5000
# ids of panels whose script has answered: of a slow server the page may not know it yet when its time is over
_answered: set[str] = set()


def _told(event: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Makes an event show what it raises for people, and what is stored now: it may not be what the panel shows."""

    @wraps(event)
    def shown(panel: Any, ctx: Any) -> None:
        try:
            event(panel, ctx)
        except PointTrackingError as error:
            ctx.ops.notify(in_app_words(str(error)), variant="error")
            panel.fill(ctx)

    return shown


class TrajectoriesPanel(foo.Panel):
    """All tracks of the open video as lines beside it; data from here, drawing and clicks by the script."""

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name=NAME,
            label="Trajectories",
            icon="timeline",
            surfaces="modal",
            help_markdown=(
                "All tracks of the open video. Click on a line: the video goes there and the track is selected. "
                "Correct it with the buttons below the picture. Without the plugin's script a plain picture is shown, "
                "which does not follow the video"
            ),
        )

    # -- what is shown

    def on_load(self, ctx: Any) -> None:
        _answered.discard(ctx.panel.id)
        ctx.panel.state.set("script", None)
        ctx.panel.state.set("missing", [])
        ctx.panel.state.set("slice", None)
        self.fill(ctx, opened_scene)

    def on_change_current_sample(self, ctx: Any) -> None:
        """Another video: what was chosen of the last one is forgotten, but for the field."""
        if ctx.current_sample == ctx.panel.state.get("shown"):
            return
        ctx.panel.state.set("slice", None)
        self._begin(ctx)

    def show_slice(self, ctx: Any) -> None:
        """The player shows another video of the group: nothing else tells, and it is not the App's current sample."""
        if ctx.params["opened"] != ctx.panel.state.get("shown"):
            ctx.panel.state.set("slice", ctx.params["opened"])
            self._begin(ctx)

    def _begin(self, ctx: Any) -> None:
        for name in ("label", "object", "part", "run"):
            ctx.panel.state.set(name, None)
        ctx.panel.state.set("pending", [])
        ctx.panel.state.set("stale", False)
        self.fill(ctx, opened_scene)

    def fill(
        self,
        ctx: Any,
        read: Callable[[fo.Sample, Choice], dict[str, Any]] = build_scene,
        track: int | None = None,
    ) -> dict[str, Any]:
        """Reads what is stored now, with a track among it where that can be, sends it to the browser and returns it."""
        state = ctx.panel.state
        state.set("shown", _opened_id(ctx))
        fields = fields_with_tracks(ctx.dataset)
        scene: dict[str, Any]
        try:
            sample = _open_video(ctx)
            field = _field_of(sample, fields, state.get("field"))
            state.set("field", field)
            part = int(state.get("part") or 1)
            scene = read(sample, Choice(field, state.get("label"), state.get("object"), part, track))
            if state.get("script") == "missing":
                state.set("told", plain_notes(scene))
                ctx.panel.set_data("plot", plotly_traces(sample, scene))
        except PointTrackingError as error:
            scene = {"problem": in_app_words(str(error)), "field": state.get("field")}
        state.set("problem", scene.get("problem"))
        state.set("part", scene.get("part"))
        state.set("stamp", scene.get("stamp"))
        # the script does not know the panel it is in
        ctx.panel.set_data(
            "trajectories.scene",
            {
                **scene,
                "key": uuid.uuid4().hex,
                "fields": fields,
                "panel": ctx.panel.id,
                "opened": state.get("shown"),
                "script": state.get("script"),
            },
        )
        self._say(ctx)
        return scene

    def _say(self, ctx: Any, text: str | None = None, **more: Any) -> None:
        """Sends what is told below the picture."""
        state = ctx.panel.state
        status = {"text": text, "pending": state.get("pending") or [], "stale": bool(state.get("stale"))}
        ctx.panel.set_data("trajectories.status", {**status, "running": state.get("run") is not None, **more})

    @_told
    def choose(self, ctx: Any) -> None:
        """Another field, label, object or part; or the part with a track that was clicked in the video."""
        state, track = ctx.panel.state, ctx.params.get("track")
        # every event says the field
        if ctx.params["field"] != state.get("field"):
            state.set("pending", [])
        elif "label" in ctx.params or "object" in ctx.params:
            state.set("part", None)
        for name in ("field", "label", "object", "part"):
            if name in ctx.params:
                state.set(name, ctx.params[name])
        scene = self.fill(ctx, track=track)
        if track is not None and track not in [row["index"] for row in scene.get("tracks", ())]:
            self._say(ctx, f"Track {track} is of another label or object than the ones that are shown")

    @_told
    def look_closer(self, ctx: Any) -> None:
        """The exact positions around a frame of a long video."""
        sample, field = self._current(ctx)
        if self._catch_up(ctx, sample, field):
            return
        window = build_window(sample, field, ctx.params["tracks"], int(ctx.params["frame"]))
        ctx.panel.set_data("trajectories.window", {**window, "stamp": ctx.params["stamp"]})

    def look_again(self, ctx: Any) -> None:
        """Reads the tracks anew: they may have been changed elsewhere."""
        self.fill(ctx)

    # -- selecting

    @_told
    def pick(self, ctx: Any) -> None:
        """A track was chosen in the panel: its keypoint is selected in the video."""
        sample, field = self._current(ctx)
        self._catch_up(ctx, sample, field)
        number = int(ctx.params["frame"])
        found = keypoint_id_of(sample, field, int(ctx.params["track"]), number)
        if found is None:
            ctx.ops.clear_selected_labels()
            return
        label = {"field": f"frames.{field}", "label_id": found, "frame_number": number}
        ctx.trigger(_SELECT_LABELS, {"labels": [{**label, "sample_id": _opened_id(ctx)}]})

    def on_change_selected_labels(self, ctx: Any) -> None:
        """A point was clicked in the video: its track is the selected one in the panel too."""
        selected = [label for label in ctx.selected_labels or () if label.get("frame_number")]
        if not selected or ctx.panel.state.get("problem"):
            return
        label = selected[-1]
        field = str(label["field"]).removeprefix("frames.")
        if field != ctx.panel.state.get("field"):
            return
        try:
            sample = _open_video(ctx)
            index = track_of_keypoint(sample, field, str(label["label_id"]), int(label["frame_number"]))
        except PointTrackingError:  # another video is open by now
            return
        ctx.panel.set_data("trajectories.picked", {"track": index, "key": str(label["label_id"])})

    # -- correcting

    @_told
    def set_position(self, ctx: Any) -> None:
        """Stores where the selected track is in this frame."""
        sample, field = self._to_change(ctx)
        index, number = int(ctx.params["track"]), int(ctx.params["frame"])
        place_track(sample, field, index, number, (ctx.params["x"], ctx.params["y"]))
        pending = set(ctx.panel.state.get("pending") or ())
        ctx.panel.state.set("pending", sorted(pending | {index}))
        self._changed(ctx, f"Track {index} is set in frame {number}. 'Track again' follows it from there")

    @_told
    def wrong_from_here(self, ctx: Any) -> None:
        """Hides the selected track from this frame on."""
        sample, field = self._to_change(ctx)
        index, number = int(ctx.params["track"]), int(ctx.params["frame"])
        edit = hide_track_from(sample, field, index, number)
        self._changed(ctx, f"Track {index} is hidden from frame {number} on: {edit}")

    @_told
    def take_back(self, ctx: Any) -> None:
        """Takes the last correction back."""
        sample, field = self._to_change(ctx)
        count = undo_correction(sample, field)
        ctx.panel.state.set("pending", [])
        self._changed(ctx, f"The last correction was taken back, in {count} frames")

    def _changed(self, ctx: Any, text: str) -> None:
        ctx.panel.state.set("stale", True)
        self.fill(ctx)
        self._say(ctx, text)

    @_told
    def track_again(self, ctx: Any) -> None:
        """Follows tracks again from their corrections, in the background; `on_tick` sees how far that is."""
        sample, field = self._to_change(ctx)
        work = following_again(sample, field, ctx.panel.state.get("pending") or [])
        run = BackgroundRun("Track again", ctx.dataset.name, work).start()
        ctx.panel.state.set("run", id(run))
        self._say(ctx, "Following the track again ...", share=0.0)

    @_told
    def on_tick(self, ctx: Any) -> None:
        """The script asks while tracks are followed again."""
        run = next((one for one in background_runs(ctx.dataset.name) if id(one) == ctx.panel.state.get("run")), None)
        if run is not None and run.is_running:
            share = 0.0 if run.progress is None else run.progress.progress
            self._say(ctx, f"Following the track again: {share:.0%}", share=share)
            return
        ctx.panel.state.set("run", None)
        if run is None:  # the App was started anew meanwhile
            self.fill(ctx)
            return
        run.told = True
        if run.error is not None:
            raise run.error
        if not run.report.cancelled:
            ctx.panel.state.set("pending", [])
        # Annotate draws no points, and what is being edited there is not to be closed
        annotating = bool(ctx.params.get("annotating"))
        ctx.panel.state.set("stale", annotating)
        self.fill(ctx)
        self._say(ctx, in_app_words(str(run.report).split("\n", 1)[0]))
        if not annotating:
            self._show_anew(ctx)

    def stop(self, ctx: Any) -> None:
        """Ends following again; corrections stay."""
        for run in background_runs(ctx.dataset.name):
            if id(run) == ctx.panel.state.get("run"):
                run.cancel()

    def refresh(self, ctx: Any) -> None:
        """Makes the player draw what is stored, in the frame that it was in."""
        ctx.panel.state.set("stale", False)
        self._say(ctx)
        self._show_anew(ctx)

    def _show_anew(self, ctx: Any) -> None:
        ctx.ops.reload_samples()
        ctx.trigger(_OPEN_ANEW, {"id": _opened_id(ctx), "frame": int(ctx.params.get("frame") or 1)})

    def _current(self, ctx: Any) -> tuple[fo.Sample, str]:
        """The open video and the field that is shown.

        Raises:
            FieldError: if the panel shows another video or field by now
        """
        sample, field = _open_video(ctx), ctx.params["field"]
        if sample.id != ctx.params["sample"] or field not in fields_with_tracks(ctx.dataset):
            raise FieldError("These tracks are not there any more. Nothing was changed; the panel shows what is stored")
        return sample, field

    def _catch_up(self, ctx: Any, sample: fo.Sample, field: str) -> bool:
        """Shows what is stored where it is not what was sent last; says whether that was so."""
        state = ctx.panel.state
        dataset, sample_id = dataset_of(sample)
        if stamp_of(FrameStore(dataset, field).mark(sample_id)) == state.get("stamp"):
            return False
        state.set("stale", True)
        self.fill(ctx)
        self._say(ctx, "The tracks were changed elsewhere: the panel shows them as they are now")
        return True

    def _to_change(self, ctx: Any) -> tuple[fo.Sample, str]:
        """As `_current`, for tracks that are to be changed.

        Raises:
            FieldError: if they cannot be, or were changed since the panel was drawn
        """
        sample, field = self._current(ctx)
        dataset, sample_id = dataset_of(sample)
        mark = FrameStore(dataset, field).mark(sample_id) or {}
        if stamp_of(mark) != ctx.params["stamp"]:
            raise FieldError(
                "The tracks were changed elsewhere meanwhile. Nothing was done; the panel shows them as they are now"
            )
        reason = why_locked(dataset, field, mark)
        if reason is not None:
            raise FieldError(reason)
        return sample, field

    # -- the script, and what is shown without it

    def script_is_here(self, ctx: Any) -> None:
        """The script draws; or it says which inner names of the App it misses."""
        missing = ctx.params.get("missing") or []
        ctx.panel.state.set("missing", missing)
        ctx.panel.state.set("script", "missing" if missing else "here")
        if missing:
            self.fill(ctx)
        else:
            _answered.add(ctx.panel.id)

    def script_is_late(self, ctx: Any) -> None:
        """Nothing was heard of the script: the plain picture is shown."""
        if ctx.panel.state.get("script") is not None or ctx.panel.id in _answered:
            return
        ctx.panel.state.set("script", "missing")
        self.fill(ctx)
        if ctx.panel.id in _answered:  # meanwhile
            ctx.panel.state.set("script", "here")

    @_told
    def pick_in_plot(self, ctx: Any) -> None:
        """A point of the plain picture was clicked; its id says of which track and frame."""
        index, _, number = str(ctx.params.get("id") or "").partition(":")
        if number:
            sample = _open_video(ctx)
            ctx.params.update(track=int(index), frame=int(number), sample=sample.id, field=ctx.panel.state.get("field"))
            if ctx.panel.state.get("missing"):  # else nothing of the plugin's scripts may be there, which select
                self.pick(ctx)
            ctx.ops.notify(f"Track {index} in frame {number}")

    def render(self, ctx: Any) -> types.Property:
        panel = types.Object()
        state = ctx.panel.state
        if state.get("script") == "missing":
            add_plain_picture(panel, state, self.pick_in_plot)
            return types.Property(panel, view=types.GridView(orientation="vertical", padding=2, gap=1, align_x="left"))
        events = {
            f"on_{event.__name__}": event
            for event in (
                self.show_slice, self.choose, self.look_closer, self.look_again, self.pick, self.set_position,
                self.wrong_from_here, self.take_back, self.track_again, self.stop, self.refresh, self.script_is_here,
            )
        }  # fmt: skip
        view = types.View(component=COMPONENT, composite_view=True, on_tick=self.on_tick, **events)
        panel.define_property("trajectories", types.Object(), view=view)
        if state.get("script") is None:
            panel.view("wait", types.TimerView(timeout=_SCRIPT_WAIT_MS, on_timeout=self.script_is_late))
        return types.Property(panel, view=types.GridView(height=100, width=100))


def _opened_id(ctx: Any) -> str | None:
    """The id of what the player shows."""
    return ctx.panel.state.get("slice") or ctx.current_sample


def _open_video(ctx: Any) -> fo.Sample:
    return opened_video(ctx.dataset, ctx.view, _opened_id(ctx))  # pyright: ignore[reportReturnType]


def _field_of(sample: fo.Sample, fields: list[str], wanted: str | None) -> str:
    """The field to show: that which was chosen, else the first that holds tracks of this video.

    Raises:
        FieldError: if the dataset has no tracks
    """
    if not fields:
        raise FieldError("This dataset holds no tracks yet. Use 'Track points' first")
    if wanted in fields:
        return str(wanted)
    dataset, sample_id = dataset_of(sample)
    return next((field for field in fields if read_marks(dataset, [sample_id], field)), fields[0])
