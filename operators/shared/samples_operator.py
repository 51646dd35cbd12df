"""What operators that work through many samples share: how they are offered, started and scheduled."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...workflows.lifecycle.scheduled_runs import told_to_end, with_key, worker_is_seen
from . import forms
from .background import is_from_app, run_in_background, show_started

# how long the dialog stays with a run: long enough for what is wrong at once, and for the one video that is open
PATIENCE_S = 3.0
OPEN_SAMPLE_PATIENCE_S = 60.0


class SamplesOperator(foo.Operator):
    """A run over the chosen samples: in the background, or scheduled."""

    # told when a run goes on in the background
    WHEN_STOPPED = "Stopping the App ends it in order: what is finished stays."
    # whether it closes the open sample while it writes to it
    CLOSES_OPEN_SAMPLE = False

    def samples_config(
        self, name: str, *, label: str, description: str, icon: str, unlisted: bool = False
    ) -> foo.OperatorConfig:
        """The configuration of an operator of this kind.

        Args:
            name: the operator's, without the plugin's
            label: its name for people
            description: one sentence: what it does
            icon: path of an image in the plugin
            unlisted: keep it out of the App's list of operators
        """
        return foo.OperatorConfig(
            name=name,
            label=label,
            description=description,
            unlisted=unlisted,
            icon=icon,
            dynamic=True,
            execute_as_generator=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            # writes labels or files where the user says, and replaces them only when told to
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        large = ctx.dataset is not None and len(forms.target_of(ctx)) > forms.DELEGATE_ABOVE
        return foo.ExecutionOptions(
            allow_immediate_execution=True,
            allow_delegated_execution=True,
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
