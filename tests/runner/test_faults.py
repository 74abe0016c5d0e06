"""Each way in which a run can end badly, done to a real run: what is kept, what is left, how it goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from tiny import kill_group, processes, wait_for

from lib import compute, files
from lib.records import OpenStep
from lib.runner import recovery

SLOW = "import time; time.sleep(60)"


def result_files(tiny):
    return {p.name: p.read_text() for p in tiny.folder().glob("*.json") if p.name != "run.json"}


def goes_on(tiny, done, first="03_prep"):
    """The next run starts at the failed step and ends as an undisturbed one."""
    result = tiny.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert tiny.ran(result)[0] == first
    assert "01_ingest" not in tiny.ran(result)
    assert result_files(tiny) == result_files(done)
    assert tiny.leftovers() == []
    assert list(tiny.folder().rglob("*.failed.*")) == []
    return result


def broken_off(tiny, step="03_prep"):
    """Nothing looks finished that is not: no record, no executed notebook, nothing that needs it ran."""
    names = {p.name for p in (tiny.folder() / "notebooks").iterdir()}
    assert not {f"{step}.ipynb", f"{step}.json", "04_tune.ipynb", "04_tune.json"} & names
    return names


def in_prep(tiny):
    """Wait until 03_prep has a kernel, and give that kernel's id."""
    note = tiny.folder() / "notebooks" / ".03_prep.open.json"
    wait_for(
        lambda: (tiny.folder() / "notebooks" / "02_eda.json").exists() and note.exists() and note.read_text()
    )
    return json.loads(note.read_text())["pid"]


def mend(tiny, *edits):
    for old in edits:
        tiny.replace("03_prep", old + "\n", "")


# --- a cell raises -----------------------------------------------------------------------------------


def test_a_cell_that_raises_is_told_in_ten_lines_and_stops_only_what_needs_it(tiny, done):
    tiny.replace("03_prep", "kept = beta", "x = 1\nraise ValueError('no row is left')\nkept = beta")
    result = tiny.run()
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    shown = result.stdout[result.stdout.index("✗") : result.stdout.index("goes on from this step")]
    assert len(shown.splitlines()) <= 12
    assert "notebooks/03_prep.ipynb failed" in shown
    assert "in cell [4] of 7" in shown
    assert "> raise ValueError('no row is left')" in shown
    assert "  ValueError: no row is left" in shown
    assert "open outputs/quickstart/notebooks/03_prep.failed.ipynb" in shown
    assert "02_eda" in tiny.ran(result)
    assert "04_tune        not run: it needs 03_prep" in result.stdout
    assert "03_prep.failed.ipynb" in broken_off(tiny)
    failed = json.loads((tiny.folder() / "notebooks" / "03_prep.failed.ipynb").read_text())
    top = "".join(failed["cells"][0]["source"])
    assert top.startswith("# ✗ 03_prep failed in cell `[4]` of 7")
    assert "ValueError: no row is left" in top
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"
    assert "03_prep failed" in (tiny.folder() / "index.html").read_text()
    assert "no row is left" in tiny.run("status").stdout
    mend(tiny, "x = 1\nraise ValueError('no row is left')")
    goes_on(tiny, done)


def test_a_step_that_does_not_write_what_it_declares_has_failed(tiny):
    tiny.replace("03_prep", 'step.write("test", kept[:1])', "pass")
    result = tiny.run()
    assert result.returncode == 1
    assert "it ended without writing test" in result.stdout
    broken_off(tiny)


def test_a_step_that_never_closes_its_tracked_run_has_failed(tiny):
    tiny.replace("03_prep", "step.close()", "pass")
    result = tiny.run()
    assert result.returncode == 1
    assert "it ended without step.close()" in result.stdout
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"
    broken_off(tiny)


def test_a_failed_step_is_tried_again_even_if_nothing_changed(tiny):
    tiny.replace("03_prep", "kept = beta", "raise ValueError\nkept = beta")
    assert tiny.run().returncode == 1
    again = tiny.run()
    assert again.returncode == 1
    assert "03_prep: did not finish last time" in again.stdout
    assert tiny.ran(again) == []


# --- the kernel dies, or hangs -----------------------------------------------------------------------


@pytest.mark.parametrize("warm", ["1", "0"])
def test_a_killed_kernel_is_a_failure_with_the_cell_it_was_in(tiny, done, warm):
    tiny.replace(
        "03_prep", "kept = beta", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nkept = beta"
    )
    result = tiny.run(WORKBOOK_WARM=warm)
    assert result.returncode == 1
    assert "The kernel died: it was killed, by hand or because the system ran out of memory" in result.stdout
    assert "in cell [4] of 7" in result.stdout
    assert "os.kill(os.getpid(), signal.SIGKILL)" in result.stdout
    assert "03_prep.failed.ipynb" in broken_off(tiny)
    mend(tiny, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    goes_on(tiny, done)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os._exit(3)", "it ended itself with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it died of SIGSEGV (Segmentation fault"),
    ],
)
def test_a_kernel_that_was_not_killed_is_not_said_to_have_run_out_of_memory(tiny, end, said):
    tiny.replace("02_eda", "step.write(", f"import os, signal\n{end}\nstep.write(")
    result = tiny.run("pipeline", "eda")
    assert result.returncode == 1
    assert f"The kernel died: {said}" in result.stdout
    assert "memory" not in result.stdout


def test_a_kernel_that_cannot_start_says_why_with_its_log(tiny):
    script = tiny.root / "lib" / "compute" / "__init__.py"
    fails = "    print('no such protocol')\n    sys.exit(4)\n    from ipykernel import kernelapp\n"
    script.write_text(script.read_text().replace("    from ipykernel import kernelapp\n", fails))
    result = tiny.run("pipeline", "ingest")
    assert result.returncode == 1
    assert "The kernel could not start: it ended itself with exit code 4." in result.stdout
    assert "\n    no such protocol" in result.stdout


def test_an_ordinary_kernel_that_cannot_start_or_ends_itself_says_so_too(tiny):
    tiny.replace("01_ingest", "step.write(", "import os\nos._exit(3)\nstep.write(")
    result = tiny.run("pipeline", "ingest", WORKBOOK_WARM="0")
    assert result.returncode == 1
    assert "The kernel died: it ended itself with exit code 3" in result.stdout
    script = tiny.root / "lib" / "compute" / "alone.py"
    script.write_text("raise SystemExit('no such protocol')\n")
    result = tiny.run("pipeline", "ingest", WORKBOOK_WARM="0")
    assert result.returncode == 1
    assert "The kernel could not start: it ended itself with exit code 1." in result.stdout
    assert "\n    no such protocol" in result.stdout


@pytest.mark.parametrize(
    "cell",
    ["while True: pass", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"],
    ids=["that can be interrupted", "that cannot"],
)
def test_a_cell_past_the_time_limit_is_stopped(tiny, done, cell):
    tiny.yaml("rows: 4\nstep_timeout_s: 4\n")
    tiny.replace("03_prep", "kept = beta", f"{cell}\nkept = beta")
    result = tiny.run()
    assert result.returncode == 1
    assert "The step passed its time limit of 4 s (step_timeout_s)" in result.stdout
    assert "in cell [4] of 7" in result.stdout
    wait_for(lambda: processes(tiny) == [])  # the library's own tracker goes a moment after us
    broken_off(tiny)
    mend(tiny, cell)
    goes_on(tiny, done)


def test_a_step_past_its_time_limit_has_failed_though_its_cell_swallows_the_interrupt(tiny, done):
    tiny.yaml("rows: 4\nstep_timeout_s: 3\n")
    swallows = "import time\ntry:\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    keep = 1.5"
    tiny.replace("03_prep", "kept = beta", f"{swallows}\nkept = beta")
    result = tiny.run()
    assert result.returncode == 1, result.stdout
    assert "The step passed its time limit of 3 s (step_timeout_s)" in result.stdout
    assert not (tiny.folder() / "notebooks" / "03_prep.json").exists()
    broken_off(tiny)
    mend(tiny, swallows)
    goes_on(tiny, done)


def test_a_step_that_fails_after_its_close_is_closed_as_failed(tiny, done):
    tiny.replace("03_prep", "step.close()", "step.close()\n1 / 0")
    assert tiny.run().returncode == 1
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"
    tiny.replace("03_prep", "step.close()\n1 / 0", "step.close()")
    goes_on(tiny, done)


FULL, KILLED = "raise OSError(28, 'No space left on device')", "signal.raise_signal(signal.SIGKILL)"


@pytest.mark.parametrize("end", [FULL, KILLED], ids=["full disk", "kill"])
@pytest.mark.parametrize("line", ["step.save(place.executed)", "record.write(place.record)"])
def test_a_step_whose_result_could_not_be_kept_is_closed_as_failed(tiny, done, line, end):
    assert tiny.run("pipeline", "eda").returncode == 0
    script = tiny.root / "lib" / "runner" / "run.py"
    text = script.read_text()
    assert text.count(line) == 1
    script.write_text(text.replace(line, f"if step.name == '03_prep':\n            {end}\n        {line}"))
    process = tiny.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == (1 if end == FULL else -signal.SIGKILL), output
    assert (tiny.outputs / "closed.txt").exists() == (end == FULL)
    script.write_text(text)
    goes_on(tiny, done)
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"


def test_a_runner_that_is_killed_when_a_step_s_record_is_whole_leaves_the_step_done(tiny):
    script, line = tiny.root / "lib" / "runner" / "run.py", "        record.write(place.record)\n"
    text = script.read_text()
    script.write_text(text.replace(line, f"{line}        {KILLED}\n"))
    process = tiny.start("pipeline", "ingest")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    script.write_text(text)
    result = tiny.run("pipeline", "ingest")
    assert (result.returncode, tiny.ran(result)) == (0, []), result.stdout + result.stderr
    assert not (tiny.outputs / "closed.txt").exists()
    assert tiny.leftovers() == []


@pytest.mark.parametrize("cut_in", ["a word", "a letter"])
def test_a_later_notebook_that_is_half_saved_fails_that_step_alone(tiny, done, cut_in):
    tiny.replace("02_eda", "step.write(", "import time\ntime.sleep(3)\nstep.write(")
    path = tiny.root / "notebooks" / "04_tune.ipynb"
    whole = path.read_bytes()
    half = whole[: len(whole) // 2] + ("é".encode()[:1] if cut_in == "a letter" else b"")
    cut = f"from pathlib import Path\nPath({str(path)!r}).write_bytes({half!r})"
    tiny.replace("03_prep", "step.close()", f"{cut}\nstep.close()")
    result = tiny.run()
    assert result.returncode == 1, result.stdout + result.stderr
    assert "04_tune.ipynb is not a notebook" in result.stdout
    assert "✓ 02_eda" in result.stdout  # it was running meanwhile
    assert "Not finished after" in result.stdout
    assert "04_tune failed" in result.stdout
    path.write_bytes(whole)
    tiny.replace("03_prep", f"{cut}\n", "")
    tiny.replace("02_eda", "import time\ntime.sleep(3)\n", "")
    again = tiny.run()  # 02_eda and 03_prep, whose cells were changed, in either order, then 04_tune
    assert again.returncode == 0, again.stdout + again.stderr
    assert tiny.ran(again)[-1] == "04_tune"
    assert result_files(tiny) == result_files(done)
    assert tiny.leftovers() == []


# --- the run is stopped ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGINT, "interrupted with Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_stopped_run_keeps_the_notebook_and_leaves_no_process(tiny, done, number, said):
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    process = tiny.start()
    in_prep(tiny)
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert said in output
    assert "03_prep.failed.ipynb" in broken_off(tiny)
    wait_for(lambda: processes(tiny) == [])  # the library's own tracker goes a moment after us
    assert list(tiny.sockets.iterdir()) == []
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"
    mend(tiny, SLOW)
    goes_on(tiny, done)


def test_a_stop_while_kernels_start_is_never_lost(tiny):
    for tenths in range(0, 18, 3):
        process = tiny.start(FORCE="1")
        wait_for(lambda: "started" in process.stdout.readline())  # noqa: B023
        time.sleep(tenths / 10)
        process.send_signal(signal.SIGINT if tenths % 2 else signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 130, output
        assert "Traceback" not in output, output
        wait_for(lambda: processes(tiny) == [])
        assert list(tiny.sockets.iterdir()) == []


def test_a_second_ctrl_c_ends_at_once_what_the_first_one_waits_for(tiny):
    script = tiny.root / "lib" / "runner" / "report" / "process.py"
    text = script.read_text()
    script.write_text(text.replace("    index.write(folder)\n", "    __import__('time').sleep(600)\n", 1))
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    process = tiny.start()
    in_prep(tiny)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: "Not finished after" in process.stdout.readline())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "interrupted with Ctrl-C. What is done is kept." in output
    wait_for(lambda: processes(tiny) == [])
    assert list(tiny.sockets.iterdir()) == []


def test_a_second_ctrl_c_ends_at_once_what_is_waited_for_after_the_first_one(tiny):
    script = tiny.root / "lib" / "runner" / "execute.py"
    text, kills = script.read_text(), "            compute.kill_group(process.pid)\n"
    assert text.count(kills) == 1
    script.write_text(text.replace(kills, "            pass\n"))  # a kernel that takes its time
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    process = tiny.start()
    in_prep(tiny)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: "Once more ends it at once." in process.stdout.readline())
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 5  # of the eight seconds that the first one waits
    assert process.returncode == 130, output
    assert "Traceback" not in output, output
    wait_for(lambda: processes(tiny) == [])
    assert list(tiny.sockets.iterdir()) == []


def test_when_make_is_killed_the_run_ends_and_leaves_no_process(tiny, done):
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    (tiny.root / "Makefile").write_text(f"pipeline:\n\t@exec {sys.executable} -m lib.cli pipeline\n")
    _, environment = tiny.command("pipeline")
    make = subprocess.Popen(
        ["make", "pipeline"],
        cwd=tiny.root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    in_prep(tiny)
    make.kill()
    make.wait()
    wait_for(lambda: processes(tiny) == [])
    assert "03_prep.failed.ipynb" in broken_off(tiny)
    mend(tiny, SLOW)
    goes_on(tiny, done)


def test_when_the_runner_is_killed_its_kernels_go_too_and_the_next_start_cleans_up(tiny, done):
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    process = tiny.start()
    in_prep(tiny)
    wait_for((tiny.folder() / "notebooks" / ".03_prep.running.ipynb").exists)
    process.kill()
    process.communicate()
    wait_for(lambda: processes(tiny) == [])
    wait_for(lambda: list(tiny.sockets.iterdir()) == [])
    broken_off(tiny)
    mend(tiny, SLOW)
    goes_on(tiny, done)


def test_what_a_killed_runner_left_is_kept_as_far_as_it_got_and_closed_as_failed(tiny):
    tiny.replace("03_prep", "kept = beta", f"{SLOW}\nkept = beta")
    process = tiny.start()
    in_prep(tiny)
    wait_for((tiny.folder() / "notebooks" / ".03_prep.running.ipynb").exists)
    kill_group(process)
    wait_for(lambda: processes(tiny) == [])
    tiny.replace("03_prep", SLOW, "raise KeyError('stop here')")
    result = tiny.run(STEPS="eda")
    assert result.returncode == 0
    assert "03_prep was cut off last time; as far as it got: 03_prep.failed.ipynb" in result.stdout
    top = "".join(
        json.loads((tiny.folder() / "notebooks" / "03_prep.failed.ipynb").read_text())["cells"][0]["source"]
    )
    assert "The run was killed while this cell ran." in top
    assert SLOW in top
    assert (tiny.outputs / "closed.txt").read_text() == "FAILED\n"
    assert tiny.leftovers() == []


def test_when_the_power_goes_between_two_writes_the_step_is_done_again(tiny, done):
    tiny.replace("03_prep", 'step.write("test", kept[:1])', f'{SLOW}\nstep.write("test", kept[:1])')
    process = tiny.start()
    in_prep(tiny)
    wait_for((tiny.folder() / "train.json").exists)
    half = tiny.folder() / "data" / ".test.parquet.999999.tmp"
    half.write_text("half")
    for pid in processes(tiny):  # all at once: nobody has time to clean up
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert (tiny.folder() / "train.json").exists()
    assert not (tiny.folder() / "test.json").exists()
    broken_off(tiny)
    mend(tiny, SLOW)
    goes_on(tiny, done)
    assert not half.exists()


DIES = """
import contextlib, os, signal, sys
from pathlib import Path
from lib import files
with contextlib.ExitStack() as stack:
    for name in sys.argv[1:]:
        folder = stack.enter_context(files.temporary(Path(name)))
        (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_processes_left_beside_the_runs_is_removed_at_the_next_start(tiny):
    names = ("mlflow.db", "last.json", "cache/0123456789/trips.parquet", "cache/models/0123456789abcdef")
    names += ("marks/0123.npy", "sweeps/taxi/sweep.json", "lessons/.lessons.json", "learner/progress.json")
    places = [tiny.outputs / name for name in names]
    words = [sys.executable, "-c", DIES, *map(str, places)]
    assert subprocess.run(words, cwd=tiny.root).returncode == -signal.SIGKILL
    assert len(list(tiny.outputs.rglob("half"))) == len(names)
    with files.temporary(tiny.outputs / "cache" / "models" / "another") as living:
        assert tiny.run("pipeline", "ingest").returncode == 0
        assert list(tiny.outputs.rglob("*.tmp")) == [living]


def test_a_rerun_that_is_cut_off_does_not_pass_for_the_finished_run_before_it(done):
    done.replace("03_prep", 'step.write("test", kept[:1])', f'{SLOW}\nstep.write("test", kept[:1])')
    process = done.start()
    note = done.folder() / "notebooks" / ".03_prep.open.json"
    wait_for(note.exists)
    for pid in processes(done):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    done.replace("03_prep", f"{SLOW}\n", "")
    result = done.run()
    assert done.ran(result) == ["03_prep"]
    assert "03_prep: did not finish last time" in result.stdout


LITTERS = """
import tempfile
Path = __import__("pathlib").Path
Path(tempfile.mkdtemp(), "left").write_text("x")
"""


@pytest.mark.parametrize(
    ("end", "warm"), [("finished", "1"), ("failed", "1"), ("killed", "1"), ("finished", "0"), ("killed", "0")]
)
def test_the_temporary_folder_holds_after_a_run_what_it_held_before(tiny, tmp_path, end, warm):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    more = {"finished": "", "failed": "1 / 0", "killed": SLOW}[end]
    tiny.replace("03_prep", "kept = beta", f"{LITTERS}\n{more}\nkept = beta")
    child = "import subprocess; subprocess.Popen(['sleep', '300'])"
    tiny.replace("03_prep", "kept = beta", f"{child}\nkept = beta")
    process = tiny.start(TMPDIR=str(temporary), WORKBOOK_WARM=warm)
    if end == "killed":
        in_prep(tiny)
        wait_for(lambda: list(temporary.rglob("left")))
        process.kill()
    process.communicate(timeout=60)
    assert (process.returncode == 0) == (end == "finished")
    wait_for(lambda: processes(tiny) == [])
    assert list(temporary.iterdir()) == []
    assert list(tiny.sockets.iterdir()) == []


def test_what_a_killed_kernel_left_in_the_temporary_folder_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    dead = tmp_path / "workbook-figures.tmp"
    dead.mkdir()
    with files.temporary_folder() as living, compute.private_folder():
        assert living.exists()
        assert not dead.exists()


# --- odd systems --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_show_a_tick_ends_no_run(tiny, encoding):
    result = tiny.run("pipeline", "eda", PYTHONIOENCODING=encoding)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"\n  \? 02_eda +[\d.]+ s\n", result.stdout)
    tiny.replace("02_eda", "step.write(", "raise ValueError('no ✓')\nstep.write(")
    result = tiny.run("pipeline", "eda", PYTHONIOENCODING=encoding)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "ValueError: no ?" in result.stdout
    assert "✗ notebooks/02_eda.ipynb failed" in (tiny.folder() / "pipeline.log").read_text()


def test_how_the_runs_stand_is_told_to_a_terminal_that_cannot_show_a_tick(done):
    result = done.run("status", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert re.search(r"\n  \? 02_eda ", result.stdout)


def test_a_user_of_whom_the_system_knows_neither_name_nor_home_can_run_it(tiny):
    command, environment = tiny.command("pipeline", "eda")
    known = {k: v for k, v in environment.items() if k not in ("HOME", "USER", "LOGNAME")}
    words = ["unshare", "--user", "--map-user=12345"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("no `unshare --map-user` here: nobody unknown can be had")
    result = subprocess.run([*words, *command], cwd=tiny.root, env=known, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert tiny.ran(result) == ["01_ingest", "02_eda"]
    assert "report is not whole" not in result.stdout


@pytest.mark.parametrize(
    ("limit", "code"), [("-Hn 64", 2), ("-Sn 64", 0)], ids=["for good", "that can be raised"]
)
def test_a_low_limit_of_open_files_is_raised_or_told_in_a_line(tiny, limit, code):
    command, environment = tiny.command("pipeline", "ingest")
    words = ["bash", "-c", f'ulimit -Sn 64; ulimit {limit}; exec "$@"', "bash", *command]
    result = subprocess.run(words, cwd=tiny.root, env=environment, capture_output=True, text=True)
    assert result.returncode == code, result.stdout + result.stderr
    if code:
        assert re.fullmatch(r"✗ Only 64 files may be open at once here \(`ulimit -n`\).*\n", result.stderr)


def test_warnings_as_errors_are_told_as_what_they_are(tiny):
    tiny.module(
        "beta", (tiny.root / "lib" / "beta.py").read_text() + "import warnings\nwarnings.warn('old')\n"
    )
    result = tiny.run("pipeline", "prep", PYTHONWARNINGS="error")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "UserWarning: old" in result.stdout
    assert "memory" not in result.stdout


# --- the disk ----------------------------------------------------------------------------------------


def small_disk(tiny, script):
    """Run a shell script in which outputs/ is a disk of its own, of 400 kB."""
    tiny.outputs.mkdir(exist_ok=True)
    command, environment = tiny.command("pipeline")
    environment["RUNNER"] = " ".join(command)
    mount = f"mount -t tmpfs -o size=400k tmpfs '{tiny.outputs}' || exit 77\n"
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount + script]
    return subprocess.run(words, cwd=tiny.root, env=environment, capture_output=True, text=True, timeout=120)


def test_a_full_disk_is_a_clear_failure_and_the_run_goes_on_when_there_is_room(tiny, done):
    if not shutil.which("unshare"):
        pytest.skip("no `unshare` here: a small disk cannot be mounted")
    tiny.replace("03_prep", "step.close()", "step.write('test', 'x' * 700_000)\nstep.close()")
    tiny.replace(
        "01_ingest", "step.close()", "step.close()\nstep.folder.joinpath('filler').write_text('x' * 150_000)"
    )
    found = small_disk(
        tiny,
        "$RUNNER; echo status=$?; cd outputs/quickstart; ls . notebooks; rm filler; cd ../..\n"
        "sed -i 's/700_000/7/' notebooks/03_prep.ipynb; $RUNNER; echo status=$?; ls -A outputs/quickstart",
    )
    if found.returncode == 77:
        pytest.skip("a small disk cannot be mounted here")
    first, _, second = found.stdout.partition("status=1")
    assert second, found.stdout + found.stderr
    assert "No space left on device" in first
    assert "03_prep" in first
    assert "04_tune.ipynb" not in second.partition("Run quickstart")[0]
    assert "status=0" in second
    assert "01_ingest" not in tiny.ran(subprocess.CompletedProcess([], 0, second))
    assert ".tmp" not in second


def test_a_disk_that_is_full_from_the_start_is_told_in_a_line(tiny):
    if not shutil.which("unshare"):
        pytest.skip("no `unshare` here: a small disk cannot be mounted")
    found = small_disk(
        tiny,
        "mkdir outputs/quickstart; head -c 1000000 /dev/zero > outputs/filler 2>/dev/null\n"
        "$RUNNER; echo status=$?",
    )
    if found.returncode == 77:
        pytest.skip("a small disk cannot be mounted here")
    assert "status=1" in found.stdout, found.stdout + found.stderr
    assert "No space left on device" in found.stdout
    assert "Traceback" not in found.stderr


def test_outputs_that_cannot_be_written_are_told_before_anything_runs(tiny):
    tiny.outputs.write_text("a file where a folder should be")
    result = tiny.run()
    assert result.returncode == 2
    assert "set WORKBOOK_OUTPUTS to a folder that can" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_page_of_an_unfinished_run_links_to_one_that_is_not_there(tiny):
    tiny.replace("03_prep", "kept = beta", "raise ValueError\nkept = beta")
    assert tiny.run().returncode == 1
    for page in [tiny.folder() / "index.html", *(tiny.folder() / "notebooks").glob("*.html")]:
        linked = re.findall(r"""href=["']([^"'#:]+\.html)["']""", page.read_text())
        assert linked
        assert [name for name in linked if not (page.parent / name).exists()] == []


def test_what_a_failed_step_wrote_before_it_failed_is_no_result(tiny):
    tiny.replace("04_tune", "step.close(test_rmse=1.0)", "raise ValueError")
    result = tiny.run()
    assert (tiny.folder() / "metrics.json").exists()
    for said in (result.stdout, tiny.run("status").stdout, (tiny.folder() / "index.html").read_text()):
        assert "test rmse" not in said


def test_a_report_that_dies_fails_no_step(tiny):
    script = tiny.root / "lib" / "runner" / "report" / "process.py"
    script.write_text(
        script.read_text().replace("    place = Place(folder, step)\n", "    __import__('os')._exit(3)\n", 1)
    )
    result = tiny.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(tiny.ran(result)) == 4
    assert "The report is not whole: " in result.stdout
    assert "All 4 steps of run quickstart are up to date" in tiny.run().stdout


def test_ctrl_c_while_the_report_is_written_is_no_traceback_and_loses_no_step(tiny):
    script = tiny.root / "lib" / "runner" / "report" / "process.py"
    text = script.read_text()
    script.write_text(text.replace("    index.write(folder)\n", "    __import__('time').sleep(60)\n", 1))
    process = tiny.start()
    wait_for((tiny.folder() / "notebooks" / "04_tune.json").exists)
    log = tiny.folder() / "pipeline.log"
    wait_for(lambda: "test rmse" in log.read_text())  # the closing figures: what is left is the report
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Traceback" not in output, output
    assert "interrupted with Ctrl-C. What is done is kept." in output
    wait_for(lambda: processes(tiny) == [])  # the library's own tracker goes a moment after us
    script.write_text(text)
    assert "All 4 steps of run quickstart are up to date" in tiny.run().stdout
    assert (tiny.folder() / "index.html").exists()


@pytest.mark.parametrize("today", ["http://127.0.0.1:9", ""])
def test_a_note_of_a_run_out_of_reach_is_told_in_a_line_and_kept_while_its_place_is_that_of_today(
    tmp_path, monkeypatch, today
):
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", today)
    note, said = tmp_path / ".04_tune.open.json", []
    OpenStep(pid=1, key="k", problem="p", mlflow_uri="http://127.0.0.1:9").write(note)
    recovery.close_tracked([note], said.append)
    (line,) = said
    assert line.startswith(
        "  The tracked run of .04_tune.open.json could not be closed: MLflow does not answer"
    )
    assert note.exists() == bool(today)


def test_what_is_said_of_a_tracked_run_that_cannot_be_closed_holds_no_secret(tmp_path, monkeypatch):
    def fail(note):
        raise ConnectionError("API request to http://me:pw@127.0.0.1:9/api/2.0/mlflow/runs/get failed")

    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path))
    monkeypatch.setattr("lib.tracking.close_dead", fail)
    note, said = tmp_path / ".sweep.open.json", []
    OpenStep(pid=1).write(note)
    recovery.close_tracked([note], said.append)
    assert "API request to http://(hidden" in said[0]
    assert "me:pw" not in said[0]
