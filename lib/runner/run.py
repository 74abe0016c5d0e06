"""The runner: steps in the order of their reads and writes, independent ones side by side, one record each.

A `Runner` is one start that has something to do, for one run or for the many of a sweep. One thread runs one
notebook; the main thread alone decides what starts, what has timed out, and what is written about it.
"""

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib import compute, files, paths, tracking
from lib.errors import WorkbookError
from lib.notebook_source.modules import Modules
from lib.records import FailedStep, OpenStep, RunRecord, now
from lib.runner import cache, kernels, recovery, signals, staleness, status, terminal
from lib.runner.plan import Request
from lib.runner.progress import Progress
from lib.runner.report.process import Reporter

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from lib.runner.execute import Execution

_TICK = 0.1


class Runner:
    """One start: the runs that were asked for, one fork server, one budget of steps at once."""

    def __init__(
        self, requests: Sequence[Request], jobs: int = 0, environment: Mapping[str, str] | None = None
    ) -> None:
        self.project = requests[0].project
        self.jobs = jobs or requests[0].jobs or max(2, compute.cores())
        self.runs = {request.run: Progress(request) for request in requests}
        self.terminal = terminal.Terminal()
        self.asked: list[signals.Stopped] = []
        self._ended: queue.Queue[tuple[Progress, str, FailedStep | None]] = queue.Queue()
        self.kernels = kernels.Kernels(environment or kernels.environment(self.project), self.terminal.say)
        self.reporter = Reporter(self.kernels)
        Modules(self.project).compile()

    def go(self) -> int:
        """Run what is out of date; 0 if all went well, 1 if a step failed, 130 if it was stopped."""
        try:
            with signals.noted() as self.asked:
                recovery.beside_the_runs(self.project.outputs, self.terminal.say)
                for progress in self.runs.values():
                    self._begin(progress)
                self._loop()
                for progress in self.runs.values():
                    opened = [progress.request.place(name).opened for name in progress.failed]
                    recovery.close_tracked(filter(Path.exists, opened), self.terminal.say)
                    if len(self.runs) == 1:
                        self._close(progress)
            self._report()
        except OSError as error:
            self.terminal.say(f"✗ The run could not go on: {error}. What is done is kept.")
            return 1
        finally:
            with signals.handled(signal.SIG_IGN):
                self.reporter.stop()
                self.kernels.close()
                tracking.settle(paths.tracking_uri(self.project.outputs))
        return 130 if self.asked else int(any(progress.failed for progress in self.runs.values()))

    def _say(self, progress: Progress, sign: str, name: str, text: str) -> None:
        """One line of a step, which is called with its run where there are several."""
        run = progress.request.run
        label = f"{name:<14}" if len(self.runs) == 1 else f"{run}/{name}"
        self.terminal.say(f"  {self.terminal.mark(sign)} {label} {text}", run)

    def _begin(self, progress: Progress) -> None:
        request, say = progress.request, self.terminal.say
        self.terminal.open_log(request.run, request.folder / "pipeline.log")
        overrides = staleness.deciding(request.parameters.overrides)
        over = "".join(f"  {key}={value}" for key, value in overrides.items())
        say(f"Run {request.run}: {request.parameters.file}{over}", request.run)
        for line in terminal.planned(progress.planned) if len(self.runs) == 1 else ():
            say(line, request.run)
        recovery.after_a_crash(request, say)
        notebooks = request.graph.notebooks
        RunRecord(
            run=request.run,
            problem=request.problem,
            parameters_file=request.parameters.file,
            overrides=overrides,
            values=staleness.deciding(request.parameters.values),
            given=request.state.parameters,
            commit=tracking.commit().get("workbook.commit", ""),
            started=now(),
            graph={n.name: {"reads": list(n.reads), "writes": list(n.writes)} for n in notebooks},
        ).write(request.folder / "run.json")

    def _loop(self) -> None:
        self._start_ready()
        while any(progress.running for progress in self.runs.values()) and not self.asked:
            try:
                ended = self._ended.get(timeout=_TICK)
            except queue.Empty:
                self._tick()
                continue
            self._end(*ended)
            self._start_ready()
        self.terminal.progress(())
        if self.asked:
            self._stop_all(str(self.asked[0]))

    def _tick(self) -> None:
        for progress in self.runs.values():
            limit = progress.request.setting("step_timeout_s")
            for step in progress.running.values():
                step.save_if_slow()
                if step.seconds > limit:
                    step.stop(f"The step passed its time limit of {limit:g} s (step_timeout_s).")
        self.terminal.progress(
            (name if len(self.runs) == 1 else f"{run}/{name}", step.cell, step.cells)
            for run, progress in self.runs.items()
            for name, step in progress.running.items()
        )

    # --- which step is next -------------------------------------------------------------------------

    def _start_ready(self) -> None:
        """Start what has all it needs, run by run, as long as there is room."""
        for progress in self.runs.values():
            self._drop_blocked(progress)
            while any([self._settle(progress, name) for name in progress.ready()]):  # noqa: C419 - all of them
                self._drop_blocked(progress)

    def _settle(self, progress: Progress, name: str) -> bool:
        """Start a step, or see that it need not run; true where others may now be ready."""
        full = self.asked or sum(len(other.running) for other in self.runs.values()) >= self.jobs
        if full or any(other.does(name, progress) for other in self.runs.values()):
            return False  # the result of the same step in another run can be linked when it is done
        progress.waiting.remove(name)
        try:
            return self._start_or_take(progress, name)
        except (WorkbookError, OSError) as error:  # its notebook was half saved, say, or the disk is full
            self._has_failed(progress, FailedStep(name, None, 0, "", f"{type(error).__name__}: {error}"))
            return True

    def _start_or_take(self, progress: Progress, name: str) -> bool:
        """Start a step that is out of date and that no other run has done; whether it is done already."""
        request, notebook = progress.request, progress.request.graph[name]
        reasons = request.state.reasons(notebook)
        found = cache.find(request, notebook, beside=self.runs) if reasons else None
        linked = cache.link(*found, request, notebook, reasons) if found else None
        if found and linked:
            progress.done[name] = linked
            self._say(progress, "✓", name, f"linked from run {found[0].name}")
            self._is_done(progress, name)
        elif reasons:
            from lib.runner.execute import Execution  # papermill, while the fork server imports

            self._start(progress, Execution(request, name, reasons, self.kernels))
        else:
            self.reporter.tell(request.folder, name)
            if any(step.name == name and step.maybe for step in progress.planned):
                self._say(progress, "·", name, "up to date: its inputs came out the same")
        return linked is not None or not reasons

    def _drop_blocked(self, progress: Progress) -> None:
        """What needs a failed step does not run."""
        for name in list(progress.waiting):
            if set(progress.request.graph.needed([name])) & set(progress.failed):
                progress.waiting.remove(name)
                self._say(progress, "·", name, f"not run: it needs {', '.join(progress.failed)}")

    # --- one step -----------------------------------------------------------------------------------

    def _start(self, progress: Progress, step: "Execution") -> None:
        step.place.executed.parent.mkdir(parents=True, exist_ok=True)
        step.place.record.unlink(missing_ok=True)
        step.place.opened.unlink(missing_ok=True)
        if progress.request.force:
            files.remove(paths.memory(progress.request.folder, step.name))
        progress.running[step.name] = step
        if not self.terminal.live:
            self._say(progress, " ", step.name, "started")
        work = threading.Thread(target=self._work, args=(progress, step), name=step.name, daemon=True)
        work.start()

    def _work(self, progress: Progress, step: "Execution") -> None:
        """In the step's thread: whatever happens, the main thread hears of its end."""
        failure: FailedStep | None = step.failure("The thread of this step ended without a word.")
        try:
            failure = step.run()
        finally:
            self._ended.put((progress, step.name, failure))

    def _end(self, progress: Progress, name: str, failure: FailedStep | None) -> None:
        step = progress.running.pop(name)
        if failure is None:
            try:
                failure = self._succeeded(progress, step)
            except OSError as error:
                failure = step.failed_at_its_end(f"{type(error).__name__}: {error}")
        if failure is not None:
            self._has_failed(progress, failure, step.notebook)

    def _succeeded(self, progress: Progress, step: "Execution") -> FailedStep | None:
        """Executed notebook first, record last: without the record the step counts as not done.

        Only then goes the note of its tracked run, by which that is closed as failed.
        """
        place, contents = step.place, progress.request.state.contents
        note = OpenStep.read(place.opened)
        contents.prepare(step.page.writes)
        outputs = contents.digests(step.page.writes)
        text = step.unfinished(outputs, note)
        if text:
            return step.failed_at_its_end(text)
        record = step.record(note, outputs)
        place.clear()
        step.save(place.executed)
        record.write(place.record)
        place.opened.unlink(missing_ok=True)
        progress.done[step.name] = record
        self._say(progress, "✓", step.name, f"{record.seconds:6.1f} s")
        self._is_done(progress, step.name)
        return None

    def _is_done(self, progress: Progress, name: str) -> None:
        """Say where run `scratch` finds what it lacks, and have the step's page made."""
        path, request = self.project.outputs / "last.json", progress.request
        if files.read_json(path).get(request.problem) != request.run:
            files.update_json(path, {request.problem: request.run})
        self.reporter.tell(request.folder, name)

    def _has_failed(
        self, progress: Progress, failure: FailedStep, notebook: "NotebookNode | None" = None
    ) -> None:
        """Keep the failure and the notebook as far as it got, and tell."""
        progress.failed[failure.step] = failure
        place = progress.request.place(failure.step)
        path = self.project.shown(place.failed)
        try:
            recovery.keep_failed(place, notebook, failure)
        except OSError as error:
            path = f"nothing: the notebook could not be kept ({error.strerror})"
        place.running.unlink(missing_ok=True)
        again = ("The same command", "here") if progress.request.only else ("`make pipeline`", "this step")
        told = terminal.failure(failure, path, f"{again[0]} goes on from {again[1]}.")
        self.terminal.say(told, progress.request.run)
        self.reporter.tell(progress.request.folder, failure.step)

    # --- the end ------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Wait for what is left of the report; said where that takes a while, or went wrong."""
        since = time.monotonic()
        for line in self.reporter.finish():
            self.terminal.say(line)
        if time.monotonic() - since > 2:
            self.terminal.say(f"The pages took another {terminal.seconds(time.monotonic() - since)}.")

    def _stop_all(self, why: str) -> None:
        self.terminal.say(f"Stopping: {why}. Once more ends it at once.")
        until = time.monotonic() + 8
        while time.monotonic() < until:
            running = [step for progress in self.runs.values() for step in progress.running.values()]
            if not running:
                break
            for step in running:
                step.stop(f"The run was {why}.", grace=0.0)
            with contextlib.suppress(queue.Empty):
                self._end(*self._ended.get(timeout=_TICK))
        for progress in self.runs.values():
            progress.waiting.clear()
            progress.failed.setdefault("the run", FailedStep("the run", None, 0, "", why))

    def _close(self, progress: Progress) -> None:
        """The closing table and figures."""
        folder, spent = progress.request.folder, terminal.seconds(time.monotonic() - progress.started)
        rows = [
            (name, terminal.seconds(record.seconds), status.produced(folder, record.outputs))
            for name, record in progress.done.items()
        ]
        lines = ["", *terminal.table(rows), *([] if progress.failed else status.headline(folder))]
        index, failed = self.project.shown(folder / "index.html"), ", ".join(progress.failed)
        if failed:
            lines.append(f"Not finished after {spent}: {failed} failed. All of it: {index}")
        else:
            lines.append(f"{spent} in all. Look at {index}; `make mlflow` has the same, `make lab` explores.")
        for line in lines:
            self.terminal.say(line, progress.request.run)
