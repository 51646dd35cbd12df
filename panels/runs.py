"""The panel *Runs*: what runs now, is scheduled, and ran on this dataset; cancelling, its samples, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..store.runs.outcomes import DONE, FAILED, NO_PROMPT, NOT_RUN, span_of
from ..store.runs.records import record_of, run_keys
from ..store.tracks.videos import select_videos
from ..tracker.errors import OptionError, PointTrackingError
from ..workflows.lifecycle.app_words import in_app_words
from ..workflows.lifecycle.background_runs import BackgroundRun, background_runs
from ..workflows.lifecycle.kinds import KINDS, TakeBack, load_report, take_back_of
from ..workflows.lifecycle.scheduled_runs import FAILED as FAILED_RUN
from ..workflows.lifecycle.scheduled_runs import (
    RUNNING,
    SILENT_S,
    WAITING,
    WORKER_COMMAND,
    ScheduledRun,
    cancel_scheduled,
    forget_scheduled,
    scheduled_runs,
    worker_is_seen,
)

NAME = "point_tracking_runs"
_INTERVAL_MS = 2000
_IDLE_INTERVAL_MS = 5000
_REPORT_ROWS = 50
_KEPT_ROWS = 10
_BAR_CELLS = 24


class RunsPanel(foo.Panel):
    """Shows the runs of the dataset, and follows those that are under way."""

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name=NAME,
            label="Runs",
            icon="checklist",
            surfaces="grid modal",
            help_markdown="Runs of point tracking on this dataset: progress, samples, reports, taking them back",
        )

    def on_load(self, ctx: Any) -> None:
        """Nothing is kept: every look reads what is known now."""

    def on_tick(self, ctx: Any) -> None:
        """Tells of runs that are over since the last look, and makes the App show what they wrote."""
        over = [run for run in background_runs(ctx.dataset.name) if not run.is_running and not run.told]
        for run in over:
            run.told = True
            failed = run.error is not None
            ctx.ops.notify(_result_line(run), variant="error" if failed else "success")
            if run.run_key:
                _show_run(ctx, run.run_key)
        if self._tell_scheduled(ctx) or over:
            _show_what_is_stored(ctx)
            _show_stored_colors(ctx)

    def _tell_scheduled(self, ctx: Any) -> bool:
        """Tells of scheduled runs that were under way at the last look and are over; whether there are any."""
        awaited = ctx.panel.state.get("awaited") or []
        runs = scheduled_runs(ctx.dataset)
        over = [run for run in runs if run.is_over and run.id in awaited]
        ctx.panel.state.set("awaited", [run.id for run in runs if not run.is_over])
        for run in over:
            text = in_app_words((run.error or run.text).split("\n", 1)[0])
            variant = "error" if run.state == FAILED_RUN else "success"
            ctx.ops.notify(f"{run.title}, scheduled: {run.state}. {text}".rstrip(), variant=variant)
        return bool(over)

    def cancel(self, ctx: Any) -> None:
        """Tells a run to end."""
        for run in background_runs(ctx.dataset.name):
            if id(run) == ctx.params.get("run"):
                run.cancel()

    def cancel_scheduled(self, ctx: Any) -> None:
        """Takes a scheduled run out of the queue, or tells it to end."""
        cancel_scheduled(ctx.params["id"])

    def forget(self, ctx: Any) -> None:
        """Takes a scheduled run that is over off the list; what it wrote stays."""
        forget_scheduled(ctx.params["id"])

    def look_at(self, ctx: Any) -> None:
        """Chooses the record of a scheduled run below, and makes the App show what it wrote."""
        ctx.params["value"] = ctx.params["run_key"]
        self.choose(ctx)
        _show_what_is_stored(ctx)

    def choose(self, ctx: Any) -> None:
        """Another run was chosen: what was asked about the last one is forgotten."""
        ctx.panel.state.set("chosen", ctx.params.get("value"))
        self._forget_deletion(ctx)

    def _forget_deletion(self, ctx: Any) -> None:
        ctx.panel.state.set("confirming", False)
        for name in ("problem", "kept"):
            ctx.panel.state.set(name, "")

    def show_samples(self, ctx: Any) -> None:
        """Makes the grid show the samples of the chosen run that had an outcome."""
        report: Any = load_report(ctx.dataset, ctx.params["run_key"])
        ids = [row.get("destination_id") or row["sample_id"] for row in report.rows(ctx.params["status"])]
        ctx.ops.set_view(view=select_videos(ctx.dataset, ids))

    def ask_to_delete(self, ctx: Any) -> None:
        ctx.panel.state.set("confirming", True)

    def keep(self, ctx: Any) -> None:
        ctx.panel.state.set("confirming", False)

    def delete(self, ctx: Any) -> None:
        """Deletes what the chosen run wrote."""
        self._forget_deletion(ctx)
        try:
            deleted = _take_back(ctx.dataset, ctx.params["run_key"]).delete(ctx.dataset, ctx.params["run_key"])
        except PointTrackingError as error:
            ctx.panel.state.set("problem", in_app_words(str(error)))
            return
        keys = run_keys(ctx.dataset, *KINDS)
        _show_run(ctx, keys[0] if keys else None)
        ctx.ops.notify(f"Deleted {deleted.what}", variant="success")
        ctx.panel.state.set("kept", _kept_text("Kept", deleted.kept))
        _show_what_is_stored(ctx)

    def render(self, ctx: Any) -> types.Property:
        panel = types.Object()
        running = [run for run in background_runs(ctx.dataset.name) if run.is_running or not run.told]
        scheduled = scheduled_runs(ctx.dataset)
        self._add_running(panel, running)
        self._add_scheduled(panel, scheduled)
        self._add_recorded(ctx, panel)
        for name, view in (("problem", types.Error), ("kept", types.Warning)):  # of the last deletion
            if ctx.panel.state.get(name):
                panel.view(name, view(label=ctx.panel.state.get(name)))
        # a run that is started while the panel is open is noticed by the next tick
        at_work = running or not all(run.is_over for run in scheduled)
        interval = _INTERVAL_MS if at_work else _IDLE_INTERVAL_MS
        panel.view("timer", types.TimerView(interval=interval, on_interval=self.on_tick))
        return types.Property(panel, view=types.GridView(orientation="vertical", padding=2, gap=1, align_x="left"))

    def _add_running(self, panel: types.Object, running: list[BackgroundRun]) -> None:
        for number, run in enumerate(running):
            panel.md(_progress_text(run), name=f"running_{number}")
            if run.is_running and not run.is_cancelled:
                panel.btn(f"cancel_{number}", label="Cancel", on_click=self.cancel, params={"run": id(run)})

    def _add_scheduled(self, panel: types.Object, runs: list[ScheduledRun]) -> None:
        if any(run.state == WAITING for run in runs) and not worker_is_seen():
            text = (
                "No worker is seen on this machine, and scheduled runs wait for one. Start it in a terminal with "
                f"`{WORKER_COMMAND}`, with the same database as this App"
            )
            panel.view("no_worker", types.Warning(label=text))
        for number, run in enumerate(runs):
            panel.md(_scheduled_text(run), name=f"scheduled_{number}")
            params = {"id": run.id}
            if run.is_over:
                panel.btn(f"forget_{number}", label="Take off this list", on_click=self.forget, params=params)
            else:
                panel.btn(f"end_{number}", label="Cancel", on_click=self.cancel_scheduled, params=params)
            if run.run_key:
                params = {"run_key": run.run_key}
                panel.btn(f"look_{number}", label="Its samples and report", on_click=self.look_at, params=params)

    def _add_recorded(self, ctx: Any, panel: types.Object) -> None:
        keys = run_keys(ctx.dataset, *KINDS)
        if not keys:
            panel.md("No runs on this dataset yet: *Track points* above the grid starts one.", name="none")
            return
        choices = types.DropdownView()
        for key in keys:
            choices.add_choice(key, label=f"{key} ({KINDS[record_of(ctx.dataset, key)['method']].noun})")
        chosen = ctx.panel.state.get("chosen")
        chosen = chosen if chosen in keys else keys[0]
        panel.enum("run", keys, default=chosen, label="Run", view=choices, on_change=self.choose)
        report: Any = load_report(ctx.dataset, chosen)
        panel.md(_report_text(report), name="report")
        method = record_of(ctx.dataset, chosen)["method"]
        if KINDS[method].by_sample:
            self._add_samples(panel, chosen, report)
        take_back = take_back_of(method)
        if take_back is not None:
            self._add_deletion(ctx, panel, chosen, take_back)

    def _add_samples(self, panel: types.Object, run_key: str, report: Any) -> None:
        labels = {
            FAILED: "Show what failed",
            NO_PROMPT: "Show samples without a prompt",
            NOT_RUN: "Show what was not reached",
            DONE: "Show finished samples",
        }
        for status, label in labels.items():
            count = len(report.rows(status))
            if count:
                name = f"show_{status.replace(' ', '_')}"
                params = {"run_key": run_key, "status": status}
                panel.btn(name, label=f"{label} ({count:,})", on_click=self.show_samples, params=params)

    def _add_deletion(self, ctx: Any, panel: types.Object, run_key: str, take_back: TakeBack) -> None:
        if any(run.is_running and run.run_key == run_key for run in background_runs(ctx.dataset.name)):
            return  # what it wrote is deleted when it is over
        if not ctx.panel.state.get("confirming"):
            panel.btn("delete", label=f"Delete this run's {take_back.noun}...", on_click=self.ask_to_delete)
            return
        planned = take_back.plan(ctx.dataset, run_key)
        kept = _kept_text(" What stays", planned.kept)
        text = f"Deletes {planned.what} that {run_key} wrote. Nothing else.{kept}"
        panel.view("confirm", types.Warning(label=text))
        panel.btn("really", label=f"Delete {planned.what}", on_click=self.delete, params={"run_key": run_key})
        panel.btn("keep", label="Keep them", on_click=self.keep)


def _take_back(dataset: Any, run_key: str) -> TakeBack:
    """How a run is taken back.

    Raises:
        OptionError: if there is no such run any more
    """
    methods = {key: record_of(dataset, key)["method"] for key in run_keys(dataset, *KINDS)}
    take_back = take_back_of(methods[run_key]) if run_key in methods else None
    if take_back is None:
        raise OptionError(f"There is no run {run_key!r} that can be taken back in this dataset")
    return take_back


def _kept_text(heading: str, lines: Sequence[str]) -> str:
    """What stays although a run wrote it; empty where there is nothing."""
    more = f"; and {len(lines) - _KEPT_ROWS:,} more" if len(lines) > _KEPT_ROWS else ""
    return f"{heading}: {'; '.join(lines[:_KEPT_ROWS])}{more}" if lines else ""


def _show_run(ctx: Any, run_key: str | None) -> None:
    """Chooses the run whose report is shown; "run" is the dropdown's own value."""
    for name in ("chosen", "run"):
        ctx.panel.state.set(name, run_key)


def _show_what_is_stored(ctx: Any) -> None:
    """In the grid, and in samples that were opened before (assets/app.js)."""
    ctx.ops.reload_dataset()
    ctx.trigger("@fo-video/point-tracking/load_opened_samples")


def _show_stored_colors(ctx: Any) -> None:
    """A run may have stored that tracks keep their colours; an open session asks for its scheme only when it loads."""
    ctx.dataset.reload()
    scheme = ctx.dataset.app_config.color_scheme
    if scheme is not None and scheme.color_by == "instance":
        by_point = {"multi_color_keypoints": True} if scheme.multicolor_keypoints else {}
        ctx.trigger("set_color_scheme", {"color_by": "instance", **by_point})


def _progress_text(run: BackgroundRun) -> str:
    if not run.is_running:
        return f"**{run.title}**: {_result_line(run)}"
    share = 0.0 if run.progress is None else run.progress.progress
    filled = round(share * _BAR_CELLS)
    bar = "▰" * filled + "▱" * (_BAR_CELLS - filled)
    label = "starting" if run.progress is None else run.progress.label
    left = run.seconds_left
    time_left = "" if left is None else f", about {span_of(left)} left"
    state = "ending: the sample at work is undone, finished ones stay" if run.is_cancelled else f"{label}{time_left}"
    key = f" (`{run.run_key}`)" if run.run_key else ""
    return f"**{run.title}**{key}  \n{bar} {share:.0%}  \n{state}"


def _result_line(run: BackgroundRun) -> str:
    if run.error is None:
        return in_app_words(str(run.report).split("\n", 1)[0])
    is_ours = isinstance(run.error, PointTrackingError)
    return "did not work: " + in_app_words(str(run.error) if is_ours else f"{type(run.error).__name__}: {run.error}")


def _report_text(report: Any) -> str:
    lines = [str(report), "", *report.notes, ""]
    for failure in report.failures[:_REPORT_ROWS]:
        lines.append(f"- `{failure.filepath}`: {failure.message}")
    if len(report.failures) > _REPORT_ROWS:
        lines.append(f"- ... and {len(report.failures) - _REPORT_ROWS:,} more")
    return in_app_words("\n".join(lines))


def _scheduled_text(run: ScheduledRun) -> str:
    share = "" if run.share is None or run.state == WAITING else f" {run.share:.0%}"
    key = f" (`{run.run_key}`)" if run.run_key else ""
    lines = [f"**{run.title}**{key}, scheduled: {run.state}{'' if run.is_over else share}"]
    if run.state == RUNNING and run.silent_s > SILENT_S:
        lines.append(f"Not heard of for {span_of(run.silent_s)}: its worker may be gone. *Cancel* gives it up")
    if run.error or run.text:
        lines.append(in_app_words((run.error or run.text).split("\n", 1)[0]))
    return "  \n".join(lines)
