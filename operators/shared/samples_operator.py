"""What operators that work through many samples share: how they are offered, started and scheduled."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ClassVar

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...workflows.lifecycle.scheduled_runs import told_to_end, with_key, worker_is_seen
from . import forms
from .background import is_from_app, run_in_background, show_started

# how long the dialog stays with a run: long enough for what is wrong at once, and for the one video that is open
PATIENCE_S = 3.0
OPEN_SAMPLE_PATIENCE_S = 60.0


class SamplesOperator(foo.Operator):
    """A run over the chosen samples: in the background, or scheduled.

    A subclass says its name, title, description and place, brings its form, and executes itself.
    """

    NAME: ClassVar[str]
    # of the button, the form and what is told
    TITLE: ClassVar[str]
    # in the App's list of operators; the title where empty
    LABEL: ClassVar[str] = ""
    DESCRIPTION: ClassVar[str]
    # name of the image; the operator's own where empty
    ICON: ClassVar[str] = ""
    # where its button stands; None = nowhere
    PLACE: ClassVar[types.Places | None] = None
    # kept out of the App's list of operators
    UNLISTED: ClassVar[bool] = False
    # not where it is about the video that is open
    ALLOWS_SCHEDULING: ClassVar[bool] = True
    # writes labels or files where the user says, and replaces them only when told to
    RISK: ClassVar[types.RiskLevel] = types.RiskLevel.MEDIUM
    # told when a run goes on in the background
    WHEN_STOPPED: ClassVar[str] = "Stopping the App ends it in order: what is finished stays."
    # whether it closes the open sample while it writes to it
    CLOSES_OPEN_SAMPLE: ClassVar[bool] = False

    def build_form(self, ctx: Any) -> types.Object:
        """The inputs for the current state of the form's values."""
        raise NotImplementedError

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=self.NAME,
            label=self.LABEL or self.TITLE,
            description=self.DESCRIPTION,
            unlisted=self.UNLISTED,
            icon=self._icon,
            dynamic=True,
            execute_as_generator=True,
            allow_immediate_execution=True,
            allow_delegated_execution=self.ALLOWS_SCHEDULING,
            risk_level=self.RISK,
        )

    @property
    def _icon(self) -> str:
        return f"/assets/{self.ICON or self.NAME}.svg"

    def resolve_placement(self, ctx: Any) -> types.Placement | None:
        if self.PLACE is None:
            return None
        return types.Placement(self.PLACE, types.Button(label=self.TITLE, icon=self._icon, prompt=True))

    def resolve_input(self, ctx: Any) -> types.Property:
        return types.Property(self.build_form(ctx), view=types.View(label=self.TITLE))

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        known = self.ALLOWS_SCHEDULING and ctx.dataset is not None
        large = known and len(forms.target_of(ctx)) > forms.DELEGATE_ABOVE
        return foo.ExecutionOptions(
            allow_immediate_execution=True,
            allow_delegated_execution=self.ALLOWS_SCHEDULING,
            default_choice_to_delegated=large and worker_is_seen(),
        )

    def run(
        self,
        ctx: Any,
        run: Callable[..., Any],
        samples: Any,
        options: Any,
        *,
        after: Callable[[Any], Any] | None = None,
    ) -> Generator[Any, None, Any]:
        """Runs in a thread of the App's server; from Python and scheduled, right here.

        Args:
            ctx: FiftyOne's execution context
            run: called with samples, options, progress= and, in the App, cancelled=
            samples: a dataset or view
            options: what the run is told
            after: called with the report, in the same thread

        Returns:
            what `run` returns; None where it goes on in the background, which the user was told
        """

        def work(**hooks: Any) -> Any:
            report = run(samples, options, **hooks)
            if after is not None:
                after(report)
            return report

        if ctx.delegated:
            report = work(
                progress=lambda p: ctx.set_progress(progress=p.progress, label=with_key(p.run_key, p.label)),
                cancelled=told_to_end(ctx.request_params["run_doc"]),
            )
            # a scheduled generator's result is lost; its last progress is kept
            ctx.set_progress(progress=1.0, label=with_key(report.run_key, str(report)))
            return report
        if not is_from_app(ctx):
            return work(progress=None)
        patience_s = OPEN_SAMPLE_PATIENCE_S if forms.only_open_sample(ctx) else PATIENCE_S
        running = yield from run_in_background(ctx, self.config.label, work, patience_s=patience_s)
        if running.is_running:
            closed = self.CLOSES_OPEN_SAMPLE and forms.only_open_sample(ctx)
            yield from show_started(ctx, running, self.WHEN_STOPPED, closed=closed)
            return None
        running.told = True
        return running.result()

    def schedule(self, sample_collection: Any, params: dict[str, Any]) -> Any:
        """Schedules the operator from Python.

        Args:
            sample_collection: a dataset or view
            params: of the operator

        Returns:
            FiftyOne's ExecutionResult
        """
        return foo.execute_operator(
            self.uri, {"view": sample_collection.view()}, params=params, request_delegation=True
        )
