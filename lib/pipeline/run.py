"""The runner: steps in the order of their reads and writes, independent ones side by side, one record each.

`Runner.go` is one `make pipeline` that has something to do. One thread runs one notebook; the main thread
alone decides what starts, what has timed out, and what is written about it.
"""

import contextlib
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from lib.errors import RunError
from lib.pipeline import project as files
from lib.pipeline import record, recover, session, signals, source, summary, terminal
from lib.pipeline.execute import Execution, Failure
from lib.pipeline.kernels import Kernels
from lib.pipeline.nursery import Nursery
from lib.pipeline.plan import Planned
from lib.pipeline.report import Reporter

_TICK = 0.1


class Runner:
    """One run: its plan, what is running, what is done, and what has failed."""

    def __init__(self, asked: session.Session, planned: list[Planned], nursery: Nursery) -> None:
        self.asked, self.planned = asked, planned
        self.terminal = terminal.Terminal()
        self.waiting = [step.name for step in planned]
        self.running: dict[str, tuple[Execution, threading.Thread, dict[str, Any]]] = {}
        self.done: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, Failure] = {}
        self.current: list[str] = []  # up to date
        self.state = asked.state()
        self._ended: queue.Queue[tuple[str, Failure | None]] = queue.Queue()
        self._started = time.monotonic()
        self.kernels = Kernels(nursery, self.terminal.say)
        self.reporter = Reporter(nursery, asked.folder)

    # --- the whole of it ----------------------------------------------------------------------------

    def go(self) -> int:
        """Run what is out of date; 0 if all went well, 130 if it was stopped."""
        stopped = False
        with signals.raised():
            try:
                try:
                    self._begin()
                    self._loop()
                except signals.Stopped as stop:
                    stopped = True
                    self._stop_all(str(stop))
                recover.close_tracked(self.asked, self.failed, self.terminal.say)
                self._close()
            except OSError as error:
                raise RunError(f"The run could not go on: {error}. What is done is kept.") from error
            finally:
                self.reporter.stop()
                self.kernels.close()
        return 130 if stopped else int(bool(self.failed))

    def _begin(self) -> None:
        self.terminal.open_log(self.asked.folder / "pipeline.log")
        self.terminal.say(f"Run {self.asked.run}: {self.asked.parameters.file}" + self._overridden())
        for line in terminal.planned(self.planned):
            self.terminal.say(line)
        recover.after_a_crash(self.asked, self.terminal.say)
        self._write_about()

    def _overridden(self) -> str:
        over = self.asked.parameters.overrides
        return "".join(f"  {key}={value}" for key, value in over.items())

    def _write_about(self) -> None:
        """`run.json`: what this run is, for the index page and `make status`."""
        asked = self.asked
        about = {
            "run": asked.run,
            "parameters_file": asked.parameters.file,
            "overrides": asked.parameters.overrides,
            "values": {k: v for k, v in asked.parameters.values.items() if k != "run"},
            "given": {n.name: asked.given(n.name) for n in asked.graph.notebooks},
            "commit": commit(asked.project.root),
            "started": time.strftime("%Y-%m-%d %H:%M:%S"),
            "graph": {n.name: {"reads": n.reads, "writes": n.writes} for n in asked.graph.notebooks},
        }
        files.write_json(asked.folder / "run.json", about)

    def _loop(self) -> None:
        self._start_ready()
        while self.running:
            try:
                name, failure = self._ended.get(timeout=_TICK)
            except queue.Empty:
                self._tick()
                continue
            self._end(name, failure)
            self._start_ready()

    def _tick(self) -> None:
        limit = self.asked.parameters.runner("step_timeout_s")
        for execution, _, _ in self.running.values():
            execution.save_if_slow()
            if execution.seconds > limit:
                execution.stop(f"The step passed its time limit of {limit:g} s (step_timeout_s).")
        self.terminal.progress((e.name, e.cell, e.cells, e.seconds) for e, _, _ in self.running.values())

    # --- which step is next -------------------------------------------------------------------------

    def _start_ready(self) -> None:
        """Start what has all it needs, those first that most others wait for."""
        graph = self.asked.graph
        self._drop_blocked()
        ready = [n for n in self.waiting if not set(graph.before(n)) & {*self.waiting, *self.running}]
        ready.sort(key=lambda name: -sum(name in graph.needed([other]) for other in self.waiting))
        for name in ready:
            if len(self.running) >= self.asked.jobs:
                return
            self.waiting.remove(name)
            reasons = self.state.reasons(graph[name])
            if reasons:
                self._start(name, reasons)
            else:
                self.current.append(name)
                if any(p.name == name and p.maybe for p in self.planned):
                    self.terminal.say(
                        f"  {self.terminal.mark('·')} {name:<14} up to date: its inputs came out the same"
                    )
                self._start_ready()
                return

    def _drop_blocked(self) -> None:
        """What needs a failed step does not run."""
        graph = self.asked.graph
        for name in list(self.waiting):
            if set(graph.needed([name])) & set(self.failed):
                self.waiting.remove(name)
                self.terminal.say(
                    f"  {self.terminal.mark('·')} {name:<14} not run: it needs {', '.join(self.failed)}"
                )

    # --- one step -----------------------------------------------------------------------------------

    def _start(self, name: str, reasons: list[str]) -> None:
        asked, place = self.asked, record.Place(self.asked.folder, name)
        place.executed.parent.mkdir(parents=True, exist_ok=True)
        text = (asked.project.notebooks / f"{name}.ipynb").read_text(encoding="utf-8")
        notebook = source.read(asked.project.notebooks / f"{name}.ipynb", text)
        place.record.unlink(missing_ok=True)
        place.opened.unlink(missing_ok=True)
        facts = {
            "notebook": notebook,
            "modules": record.Modules(asked.project).freeze(),
            "inputs": {thing: self.state.contents.digest(thing) for thing in notebook.reads},
            "reasons": reasons,
            "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        execution = Execution(
            name=name,
            text=text,
            parameters=asked.given(name),
            kernels=self.kernels,
            folder=asked.project.notebooks,
            running=place.running,
            log=self.kernels.folder / f"{name}.log",
        )
        thread = threading.Thread(
            target=lambda: self._ended.put((name, execution.run())), name=name, daemon=True
        )
        self.running[name] = (execution, thread, facts)
        if not self.terminal.live:
            self.terminal.say(f"    {name:<14} started")
        thread.start()

    def _end(self, name: str, failure: Failure | None) -> None:
        execution, thread, facts = self.running.pop(name)
        thread.join()
        seconds = execution.seconds
        if failure is None:
            try:
                self._succeeded(execution, facts, seconds)
                return
            except OSError as error:
                failure = Failure(None, execution.cells, "", f"{type(error).__name__}: {error}")
        self._has_failed(execution, failure, seconds)

    def _succeeded(self, execution: Execution, facts: dict[str, Any], seconds: float) -> None:
        """Executed notebook first, record last: without the record the step counts as not done."""
        notebook, place = facts["notebook"], record.Place(self.asked.folder, execution.name)
        note = files.read_json(place.opened)
        self.state.contents.forget(notebook.writes)
        used = [m for m in note.get("modules", facts["modules"].names()) if m in facts["modules"]]
        modules = {name: facts["modules"].digests(name) for name in used}
        kept = record.of(notebook, execution.parameters, modules, facts["inputs"], self.state.contents)
        text = _unfinished(kept["outputs"], note)
        if text:
            self._has_failed(execution, Failure(None, execution.cells, "", text), seconds)
            return
        kept |= {
            "seconds": round(seconds, 2),
            "started": facts["started"],
            "reasons": facts["reasons"],
            "peak_memory_mb": note.get("peak_memory_mb") or execution.peak_memory_mb,
            "kernel": "warm" if execution.warm else "ordinary",
            "tracked": {k: v for k, v in note.items() if k not in ("modules", "peak_memory_mb", "pid")},
        }
        execution.save(place.executed)
        files.write_json(place.record, kept)
        for path in (place.failed, place.failure, place.running, place.failed.with_suffix(".html")):
            path.unlink(missing_ok=True)
        self.done[execution.name] = kept
        self._remember_last()
        self.terminal.say(f"  {self.terminal.mark('✓')} {execution.name:<14} {seconds:6.1f} s")
        place.opened.unlink(missing_ok=True)
        self.reporter.tell(step=execution.name, note=note)

    def _remember_last(self) -> None:
        """Where run `scratch` finds what it lacks."""
        path = self.asked.project.outputs / "last.json"
        problem = next((p["problem"] for p in self.state.parameters.values() if "problem" in p), None)
        last = files.read_json(path)
        if problem and last.get(problem) != self.asked.run:
            files.write_json(path, last | {problem: self.asked.run})

    def _has_failed(self, execution: Execution, failure: Failure, seconds: float) -> None:
        place = record.Place(self.asked.folder, execution.name)
        self.failed[execution.name] = failure
        path = self.asked.project.shown(place.failed)
        try:
            recover.keep_failed(place, execution.notebook, failure, seconds)
        except OSError as error:
            path = f"nothing: the notebook could not be kept ({error.strerror})"
        place.running.unlink(missing_ok=True)
        advice = (
            "`make pipeline` goes on from this step."
            if not self.asked.only
            else "The same command goes on from here."
        )
        self.terminal.say(terminal.failure(execution.name, seconds, failure, path, advice))
        self.reporter.tell(step=execution.name)

    # --- the end ------------------------------------------------------------------------------------

    def _stop_all(self, why: str) -> None:
        self.terminal.say(f"Stopping: {why}.")
        for execution, _, _ in self.running.values():
            execution.stop(f"The run was {why}.", grace=0.0)
        until = time.monotonic() + 8
        while self.running and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                self._end(*self._ended.get(timeout=_TICK))
        self.waiting.clear()
        self.failed.setdefault("the run", Failure(None, 0, "", why))

    def _close(self) -> None:
        """The closing table and figures; then the report, which has been written beside the steps."""
        asked, say = self.asked, self.terminal.say
        spent = terminal.seconds(time.monotonic() - self._started)
        rows = [
            (name, terminal.seconds(kept["seconds"]), summary.produced(asked.folder, tuple(kept["outputs"])))
            for name, kept in self.done.items()
        ]
        for line in ["", *terminal.table(rows)]:
            say(line)
        for line in [] if self.failed else summary.headline(asked.folder):
            say(line)
        trouble = self.reporter.finish() if self.done or self.failed else ""
        index = asked.project.shown(asked.folder / "index.html")
        if self.failed:
            say(f"Not finished after {spent}: {', '.join(self.failed)} failed. All of it: {index}")
        else:
            say(f"{spent} in all. Look at {index}; `make mlflow` has the same, `make lab` explores.")
        if trouble:
            say(f"The report is not whole: {trouble}")


def _unfinished(outputs: dict[str, str | None], note: dict[str, Any]) -> str:
    """What a notebook that ran to its end has left undone; empty if nothing."""
    absent = [thing for thing, digest in outputs.items() if digest is None]
    if absent:
        return f"StepError: it ended without writing {', '.join(absent)}, which its Step line declares."
    if note and "modules" not in note:
        return "StepError: it ended without step.close(), which belongs into its last cell."
    return ""


def commit(root: Path) -> str:
    """The git commit of the checkout, `+` after it where files differ; empty without git."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(words, capture_output=True, text=True, timeout=10).stdout.strip()
    return ""
