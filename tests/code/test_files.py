"""Files that appear whole or not at all, who is at work on them, and what is left by the dead."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from lib import files
from lib.runner import plan

ROOT = Path(__file__).resolve().parents[2]
WRITES = """
import sys, time
from pathlib import Path
from lib import files
from lib.runner import plan
with files.{how}(Path(sys.argv[1])) as unfinished:
    print("writing", flush=True)
    time.sleep(60)
"""
#: A process in a container of its own, as far as process ids go: there it is 1, and sees none of ours.
CONTAINER = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


@contextlib.contextmanager
def writer(path: Path, how: str = "whole", container: bool = False):
    """A process that is writing `path`, and does not come to an end."""
    words = [*(CONTAINER if container else []), sys.executable, "-c", WRITES.format(how=how), str(path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stdout.readline() != "writing\n":
            process.wait()
            pytest.skip(f"no containers here: {process.stderr.read()}")
        yield process
        process.kill()


@pytest.mark.parametrize("how", ["whole", "whole_folder"])
@pytest.mark.parametrize("container", [False, True], ids=["beside us", "in a container of its own"])
def test_what_a_living_writer_writes_stays_and_what_a_dead_one_wrote_goes(tmp_path, how, container):
    if container and not shutil.which("unshare"):
        pytest.skip("no `unshare` here: a container cannot be made")
    path = tmp_path / "train.parquet"
    with writer(path, how, container) as process:
        files.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        assert files.in_hand(path)
        process.kill()
        process.wait()
        until = time.monotonic() + 10
        while files.in_hand(path) and time.monotonic() < until:  # the container goes a moment after
            time.sleep(0.02)
        assert not files.in_hand(path)
        files.sweep(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_two_writers_of_the_same_number_do_not_write_into_each_other(tmp_path):
    """The first process of every container has the id 1; `getpid` was all that told one name from another."""
    path = tmp_path / "metrics.json"
    with files.whole(path) as first:
        with files.whole(path) as second:
            second.write(b"second")
        first.write(b"first")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_only_what_is_temporary_is_swept(tmp_path):
    for name in ("train.parquet", ".held", ".lock", ".04_tune.open.json"):
        (tmp_path / name).write_text("x")
    kept = sorted(tmp_path.iterdir())
    (tmp_path / ".train.parquet.123.tmp").write_text("half, by an earlier workbook")
    (tmp_path / ".model.x.tmp").mkdir()
    files.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == kept


DIES = """
import os, sys
from pathlib import Path
from lib import files
Path.rename = lambda *_: os._exit(9)
with files.whole(Path(sys.argv[1])):
    pass
"""


def test_what_was_not_yet_held_when_its_maker_died_goes_when_none_can_hold_it_any_more(tmp_path):
    words = [sys.executable, "-c", DIES, str(tmp_path / "train.parquet")]
    assert subprocess.run(words, cwd=ROOT, check=False).returncode == 9
    (left,) = tmp_path.iterdir()
    files.sweep(tmp_path)
    assert left.exists()  # it may be another's, who will hold it in a moment
    mine = tmp_path / ".mine.new"
    mine.mkdir()
    (mine / "notes").write_text("x")
    for folder in (left, mine):
        os.utime(folder, (0, 0))
    with files.locked(left / ".held"):
        files.sweep(tmp_path)
    assert left.exists()
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_s_file_in_a_shared_folder_stops_nobody(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    theirs, ours = shared / "workbook-theirs.tmp", shared / "workbook-ours.tmp"
    for path in (theirs, ours):
        path.write_text("x")
    os.chown(ours, 65534, 65534)
    child = os.fork()
    if not child:
        try:
            os.chdir(shared)  # below folders into which that user cannot look
            os.setuid(65534)
            files.sweep(Path(), "workbook-")
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert list(shared.iterdir()) == [theirs]


def test_a_block_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "model"
    with files.whole_folder(path) as folder:
        (folder / "weights").write_text("old")
    with pytest.raises(ZeroDivisionError), files.whole_folder(path) as folder:
        (folder / "weights").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "weights").read_text() == "old"


ADDS = """
import sys
from pathlib import Path
from lib import files
from lib.runner import plan
for number in range(25):
    files.update_json(Path(sys.argv[1]), {sys.argv[2] + str(number): number})
"""


#: The same by the runner, whose runs end, and by pages of run `scratch`, which write.
RUNS_END = """
import sys
from pathlib import Path
from types import SimpleNamespace
from lib.runner.run import Runner
runner = SimpleNamespace(
    project=SimpleNamespace(outputs=Path(sys.argv[1]).parent), reporter=SimpleNamespace(tell=lambda *_: None)
)
for number in range(25):
    request = SimpleNamespace(problem=sys.argv[2] + str(number), run="r1", folder=Path("r1"))
    Runner._is_done(runner, SimpleNamespace(request=request), "06_registry")
"""
PAGES_WRITE = """
import sys
from lib.step import Step
names = [sys.argv[2] + str(number) for number in range(25)]
step = Step("03_prep", "scratch", "green_taxi", writes=names)
for name in names:
    step.write(name, {})
"""


@pytest.mark.parametrize(
    ("program", "name"),
    [(ADDS, "last.json"), (RUNS_END, "last.json"), (PAGES_WRITE, "scratch/.problems.json")],
    ids=["by itself", "by the runner", "by pages"],
)
def test_no_key_is_lost_where_several_processes_change_one_file(tmp_path, monkeypatch, program, name):
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path))
    path = tmp_path / name
    words = [[sys.executable, "-c", program, str(path), letter] for letter in "abcd"]
    together = [subprocess.Popen(command, cwd=ROOT) for command in words]
    assert [process.wait() for process in together] == [0, 0, 0, 0]
    assert len(json.loads(path.read_text())) == 100
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == [Path(name).parts[0]]


def test_a_run_that_is_called_as_the_lock_once_was_stops_nobody(tmp_path):
    (tmp_path / plan.run_name("last.lock", Path("params/quickstart.yaml"))).mkdir()
    files.update_json(tmp_path / "last.json", {"quickstart": "last.lock"})
    assert files.read_json(tmp_path / "last.json") == {"quickstart": "last.lock"}
