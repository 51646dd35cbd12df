"""The operator that tracks points in the chosen videos."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from . import forms

URI = "@fo-video/point-tracking/track_points"
_POLL_S = 0.25
_STOP_TIMEOUT_S = 60.0
_FAILURES_SHOWN = 50
_ICON = "/assets/track_points.svg"


def _button() -> types.Button:
    return types.Button(label="Track points", icon=_ICON, prompt=True)


class TrackPoints(foo.Operator):
    """Tracks points in videos and stores them as frame-level keypoints."""

    @property
    def config(self) -> foo.OperatorConfig:
        return self._config(
            "track_points",
            "Track points",
            "Track a grid, masks or points through videos and store them as keypoints on the frames",
        )

    def _config(self, name: str, label: str, description: str, *, unlisted: bool = False) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=name,
            label=label,
            description=description,
            unlisted=unlisted,
            icon=_ICON,
            dynamic=True,
            execute_as_generator=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        return types.Placement(types.Places.SAMPLES_GRID_ACTIONS, _button())

    def resolve_input(self, ctx: Any) -> types.Property:
        from .track_points_form import build_form

        return types.Property(build_form(ctx), view=types.View(label="Track points"))

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        large = len(forms.target_of(ctx)) > forms.DELEGATE_ABOVE if ctx.dataset is not None else False
        return foo.ExecutionOptions(
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=large,
        )

    def execute(self, ctx: Any) -> Iterator[Any]:
        from ..tracker.dataset.pipeline import run
        from .track_points_form import options_of

        samples, options = forms.target_of(ctx), options_of(ctx.params)
        if ctx.delegated:
            report = run(samples, options, progress=lambda p: ctx.set_progress(progress=p.progress, label=p.message))
        else:
            report = yield from _run_in_thread(ctx, run, samples, options)
        if report.num_samples and ctx.params.get("color_by_track", True):
            from ..tracker.dataset.colors import color_by_track

            color_by_track(samples._dataset, options.layout)
        if not ctx.delegated:
            yield from _show(ctx, report)

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Tracks points in a data set or view from Python.

        Args:
            sample_collection: a video data set or view
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.track_dataset`

        Returns:
            the report of `track_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `track_dataset`
        """
        if delegate:
            return foo.execute_operator(
                self.uri, {"view": sample_collection.view()}, params=params, request_delegation=True
            )
        from ..tracker.dataset.pipeline import track_dataset

        return track_dataset(sample_collection, **params)


class TrackOpenSample(TrackPoints):
    """The same for the video that is open: an operator has one place, and this one's is the sample's toolbar."""

    @property
    def config(self) -> foo.OperatorConfig:
        return self._config(
            "track_open_sample",
            "Track points in the open video",
            "Track points through the video that is open in the App; elsewhere, use Track points",
            unlisted=True,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        return types.Placement(types.Places.SAMPLES_VIEWER_ACTIONS, _button())


def _run_in_thread(ctx: Any, run: Any, samples: Any, options: Any) -> Iterator[Any]:
    """Yields progress while the run works in a thread; closing the App's tab cancels the run.

    Returns:
        the report
    """
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()
    result: dict[str, Any] = {}

    def work() -> None:
        try:
            result["report"] = run(samples, options, progress=events.put, cancelled=stop.is_set)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            result["error"] = error

    thread = threading.Thread(target=work, name="track-points", daemon=True)
    thread.start()
    try:
        yield ctx.ops.set_progress(progress=0.0, label="Starting")
        while thread.is_alive():
            thread.join(_POLL_S)
            latest = None
            while not events.empty():
                latest = events.get()
            if latest is not None:
                label = f"{latest.iteration} of {latest.total} videos done ({latest.message})"
                yield ctx.ops.set_progress(progress=latest.progress, label=label)
    finally:
        stop.set()
        thread.join(_STOP_TIMEOUT_S)
    if "error" in result:
        raise result["error"]
    return result["report"]


def _show(ctx: Any, report: Any) -> Iterator[Any]:
    """Tells the result in words, lists failures, and shows the new field."""
    yield ctx.trigger("reload_dataset")
    outputs = types.Object()
    outputs.str("summary", label="Result", view=types.MarkdownView())
    yield ctx.ops.show_output(
        outputs=types.Property(outputs, view=types.View(label="Track points")).to_json(),
        results={"summary": _summary(report)},
    )


def _summary(report: Any) -> str:
    lines = [str(report), ""]
    for title, rows in (
        ("Not tracked", [(f.filepath, f.message) for f in report.failures]),
        ("Tracked, with a warning", report.warnings),
    ):
        if rows:
            lines += [f"**{title}**", ""]
            lines += [f"- `{path}`: {text}" for path, text in rows[:_FAILURES_SHOWN]]
            if len(rows) > _FAILURES_SHOWN:
                lines.append(
                    f"- ... and {len(rows) - _FAILURES_SHOWN} more; all are stored with the run {report.run_key!r}"
                )
            lines.append("")
    return "\n".join(lines)
