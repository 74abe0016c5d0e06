"""Real runs of the tiny project: what runs, what does not, what is left, warm kernels and ordinary ones."""

import json
import os
import platform
import subprocess
import sys

import pandas
import pytest
from tiny import kill_group, wait_for

ALL = ["01_ingest", "02_eda", "03_prep", "04_tune"]


def record(tiny, step, run="quickstart"):
    return json.loads((tiny.folder(run) / "notebooks" / f"{step}.json").read_text())


def outputs(tiny, run="quickstart"):
    """The bytes of everything that steps wrote, but for what says when."""
    folder = tiny.folder(run)
    return {p.name: p.read_bytes() for p in folder.glob("*.json") if p.name != "run.json"}


def test_a_run_leaves_notebooks_records_pages_and_nothing_half_done(done):
    names = {p.name for p in (done.folder() / "notebooks").iterdir()}
    assert names == {f"{step}.{kind}" for step in ALL for kind in ("ipynb", "json", "html")}
    assert done.leftovers() == []
    assert (done.folder() / "index.html").exists()
    assert json.loads((done.outputs / "last.json").read_text()) == {"tiny": "quickstart"}
    assert record(done, "03_prep")["kernel"] == "warm"
    assert sorted(record(done, "03_prep")["modules"]) == ["lib", "lib.beta", "lib.step"]


@pytest.mark.parametrize("more", ["", "1 / 0"], ids=["finished", "failed"])
def test_when_a_run_ends_its_database_is_settled(tiny, more):
    tiny.replace("02_eda", "step.write(", f"{more}\nstep.write(")
    assert tiny.run("pipeline", "eda").returncode == bool(more)
    assert (tiny.outputs / "settled.txt").read_text() == f"sqlite:///{tiny.outputs / 'mlflow.db'}\n"


def test_a_run_with_nothing_to_do_says_so(done):
    result = done.run()
    assert result.returncode == 0
    assert "All 4 steps of run quickstart are up to date" in result.stdout


def test_nothing_heavy_is_imported_when_there_is_nothing_to_do(done):
    command, environment = done.command("pipeline")
    command[1:1] = ["-X", "importtime"]
    result = subprocess.run(command, cwd=done.root, env=environment, capture_output=True, text=True)
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in result.stderr.splitlines()}
    assert "yaml" in loaded
    assert not loaded & {
        "papermill",
        "nbformat",
        "zmq",
        "numpy",
        "pandas",
        "mlflow",
        "nbconvert",
        "jinja2",
        "joblib",
    }


def test_a_step_whose_outputs_come_out_the_same_ends_the_chain(done):
    done.replace("03_prep", "kept[:1]", "list(kept)[:1]")
    result = done.run()
    assert done.ran(result) == ["03_prep"]
    assert "04_tune        up to date: its inputs came out the same" in result.stdout


def test_a_change_runs_what_follows_it_and_nothing_else(done):
    result = done.run(P="keep=1.5")
    assert done.ran(result) == ["03_prep", "04_tune"]
    assert "03_prep: parameter keep 2.5 -> 1.5" in result.stdout
    assert done.ran(done.run(P="keep=1.5")) == []


def test_an_edit_made_while_a_step_runs_is_seen_the_next_time(tiny):
    tiny.replace("01_ingest", "step.write", "import time; time.sleep(1.5); step.write")
    process = tiny.start()
    wait_for((tiny.folder() / "notebooks" / ".01_ingest.open.json").exists)
    tiny.module("alpha", "def rows(n):\n    return list(range(n))[::-1]\n")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    result = tiny.run("plan")
    assert "01_ingest: lib/alpha.py changed" in result.stdout


def test_ordinary_kernels_give_the_same_outputs_and_say_so_once(done, tiny):
    result = tiny.run(WORKBOOK_WARM="0")
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("Kernels start one by one, not from the fork server") == 1
    assert "TCP without encryption" not in result.stdout + result.stderr
    assert record(tiny, "03_prep")["kernel"] == "ordinary"
    assert outputs(tiny) == outputs(done)


def test_a_fork_server_that_cannot_fork_is_replaced_by_ordinary_kernels(tiny):
    script = tiny.root / "lib" / "compute" / "__init__.py"
    text = script.read_text()
    assert text.count("    os.setsid()\n") == 1
    script.write_text(text.replace("    os.setsid()\n", "    os._exit(3)\n"))
    result = tiny.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("a child of the fork server ended with 3") == 1
    assert {record(tiny, step)["kernel"] for step in ALL} == {"ordinary"}
    assert len(tiny.ran(result)) == 4


def test_every_warm_kernel_draws_other_random_numbers(tiny):
    draw = "import random, numpy; print('DREW', random.random(), numpy.random.rand())"
    for step in ("02_eda", "03_prep"):
        tiny.replace(step, "step.close()", f"{draw}\nstep.close()")
    assert tiny.run().returncode == 0
    drawn = [
        word
        for step in ("02_eda", "03_prep")
        for word in (tiny.folder() / "notebooks" / f"{step}.ipynb")
        .read_text()
        .split("DREW ")[1]
        .split("\\n")[0]
        .split()
    ]
    assert len(set(drawn)) == 4


def test_one_step_at_a_time_gives_the_same_as_side_by_side(done, tiny):
    assert tiny.run(JOBS="1").returncode == 0
    assert outputs(tiny) == outputs(done)


def test_independent_steps_run_side_by_side(tiny):
    for step in ("02_eda", "03_prep"):
        tiny.replace(step, "step.close()", "import time; time.sleep(1)\nstep.close()")
    result = tiny.run()
    lines = [line.split()[:2] for line in result.stdout.splitlines()]
    assert lines.index(["03_prep", "started"]) < lines.index(["✓", "02_eda"])
    assert lines.index(["02_eda", "started"]) < lines.index(["✓", "03_prep"])


def test_two_runs_side_by_side_do_not_disturb_each_other(tiny):
    first, second = tiny.start(RUN="one"), tiny.start(RUN="two", P="rows=3")
    said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert json.loads((tiny.folder("one") / "raw.json").read_text()) == [0, 1, 2, 3]
    assert json.loads((tiny.folder("two") / "raw.json").read_text()) == [0, 1, 2]


def test_a_second_start_of_the_same_run_is_refused_and_names_the_first(tiny):
    tiny.replace("01_ingest", "step.write", "import time; time.sleep(30); step.write")
    process = tiny.start()
    try:
        wait_for((tiny.folder() / "notebooks" / ".01_ingest.open.json").exists)
        second = tiny.run()
        assert second.returncode == 2
        assert f"Run quickstart is already running (process {process.pid}, since 20" in second.stderr
    finally:
        kill_group(process)


def test_the_command_line_refuses_before_anything_runs(tiny):
    result = tiny.run(P="max_eval=3")
    assert result.returncode == 2
    assert "Did you mean 'max_evals'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not tiny.outputs.exists()


def test_the_plan_runs_nothing(tiny):
    result = tiny.run("plan")
    assert "04_tune: has not run yet" in result.stdout
    assert not (tiny.folder() / "notebooks").exists()


def test_status_tells_each_run_step_by_step_without_heavy_imports(done):
    command, environment = done.command("status")
    command[1:1] = ["-X", "importtime"]
    result = subprocess.run(command, cwd=done.root, env=environment, capture_output=True, text=True)
    assert "quickstart" in result.stdout
    assert result.stdout.count("✓") == 4
    assert "test rmse 1" in result.stdout
    loaded = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines()}
    assert not loaded & {"numpy", "pandas", "mlflow", "papermill"}


def test_pages_ask_nothing_of_the_network(done):
    for page in [done.folder() / "index.html", *(done.folder() / "notebooks").glob("*.html")]:
        text = page.read_text()
        assert "<script" not in text
        assert 'src="http' not in text
        assert "@import" not in text
        assert "<link" not in text


def test_overridden_parameters_are_marked_on_the_index_page(done):
    assert done.run(P="max_evals=9").returncode == 0
    assert "<span class='over'>9</span>" in (done.folder() / "index.html").read_text()


def test_reading_a_notebook_loads_no_grammar_of_web_addresses():
    """jsonschema would load one, for a second or more, to check formats that no notebook has."""
    program = (
        "import sys; from lib.runner import execute; import nbformat; "
        "nbformat.validate(nbformat.v4.new_notebook()); print('lark' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_force_takes_nothing_from_what_a_step_remembers(done):
    memory = done.folder() / "memory" / "03_prep" / "key"
    memory.mkdir(parents=True)
    done.replace(
        "03_prep", "kept = beta", "left = (step.folder / 'memory' / '03_prep').exists()\nkept = beta"
    )
    done.replace("03_prep", "kept[:1]", "kept[:1] + [left]")
    assert done.run().returncode == 0
    assert json.loads((done.folder() / "test.json").read_text())[-1] is True
    assert done.run(FORCE="1").returncode == 0
    assert json.loads((done.folder() / "test.json").read_text())[-1] is False


OUTSIDE = """
from lib import files
from pathlib import Path
source = Path(OUTPUTS) / "mine.txt"
step.uses(KIND, str(source), files.digest(source), files.stamp(source))
step.write("raw", [0, 1, len(source.read_text())])
"""


@pytest.mark.parametrize("kind", ["file", "mirror"])
def test_a_file_from_outside_that_was_replaced_is_read_again(tiny, kind, monkeypatch):
    monkeypatch.setenv("DATA_MIRROR", str(tiny.root))
    source = tiny.root / "mine.txt"
    source.write_text("300 rows")
    code = OUTSIDE.replace("OUTPUTS", repr(str(tiny.root))).replace("KIND", repr(kind))
    tiny.replace("01_ingest", 'step.write("raw", alpha.rows(rows))', code)
    assert tiny.run().returncode == 0
    source.touch()
    assert "up to date" in tiny.run().stdout  # the same content at another time
    source.write_text("900 of them")
    result = tiny.run()
    assert f"01_ingest: {source} changed" in result.stdout
    assert json.loads((tiny.folder() / "raw.json").read_text()) == [0, 1, 11]
    source.unlink()
    result = tiny.run("plan")
    gone = f"01_ingest: {source} is gone"
    assert (gone in result.stdout) == (kind == "file")  # what was mirrored still has its address


def test_a_run_of_another_name_links_what_read_a_file_from_outside_while_that_is_the_same(tiny):
    source = tiny.root / "mine.txt"
    source.write_text("300 rows")
    code = OUTSIDE.replace("OUTPUTS", repr(str(tiny.root))).replace("KIND", "'file'")
    tiny.replace("01_ingest", 'step.write("raw", alpha.rows(rows))', code)
    tiny.replace("01_ingest", 'problem: str = "tiny"', 'problem: str = "tiny"\nsource: str = "published"')
    assert tiny.run().returncode == 0
    assert "01_ingest      linked from run quickstart" in tiny.run(RUN="other").stdout
    source.write_text("others")
    assert "01_ingest      started" in tiny.run(RUN="third").stdout


def test_another_tracking_address_concerns_the_step_that_acts_on_it_alone(tiny):
    uses = 'step.uses("tracking", "sqlite:///{outputs}/mlflow.db", "")'
    tiny.replace("04_tune", "train = ", f"{uses}\ntrain = ")
    assert tiny.run().returncode == 0
    assert "up to date" in tiny.run().stdout
    elsewhere = {"MLFLOW_TRACKING_URI": "http://me:secret@127.0.0.1:5000"}
    said = tiny.run("plan", **elsewhere).stdout
    assert said.count("up to date") == 3
    assert "04_tune: the tracking address is http://(hidden " in said
    assert "secret" not in said


def test_a_start_that_runs_a_step_sees_that_what_the_others_logged_is_there(done):
    (done.outputs / "kept.txt").unlink()
    assert "up to date" in done.run().stdout
    assert not (done.outputs / "kept.txt").exists()
    assert done.run(P="max_evals=7").returncode == 0
    assert sorted((done.outputs / "kept.txt").read_text().splitlines()) == [
        f"quickstart/{step} from " for step in ("01_ingest", "02_eda", "03_prep", "04_tune")
    ]


def test_what_is_no_longer_in_the_record_is_told_at_the_end_of_a_start_that_ran_a_step(done):
    path = done.root / "lib" / "tracking.py"
    path.write_text(path.read_text().replace('return ""', 'return f"{record.step} is logged again"'))
    lines = done.run(P="max_evals=7").stdout.splitlines()
    assert sorted(line.split()[0] for line in lines if line.endswith("is logged again")) == ALL


def test_another_version_of_a_library_that_the_code_imports_makes_a_step_run_again(done):
    path = done.folder() / "notebooks" / "03_prep.json"
    kept = json.loads(path.read_text())
    assert kept["libraries"]["python"] == platform.python_version()
    assert set(kept["libraries"]) == {"python"}  # its modules import none
    path.write_text(json.dumps(kept | {"libraries": {"python": "3.10.1", "pandas": pandas.__version__}}))
    assert f"03_prep: python 3.10.1 -> {platform.python_version()}\n" in done.run("plan").stdout
    path.write_text(json.dumps(kept | {"libraries": {"pandas": "0.1", "left_pad": "1.0"}}))
    said = f"03_prep: pandas 0.1 -> {pandas.__version__}; left_pad 1.0 -> gone"
    assert said in done.run("plan").stdout


def test_the_libraries_in_a_record_are_those_that_the_step_s_code_imports(tiny):
    tiny.module("beta", "import yaml\n" + (tiny.root / "lib" / "beta.py").read_text())
    tiny.replace("03_prep", "kept = beta", "import sklearn\nkept = beta")
    assert tiny.run("pipeline", "prep").returncode == 0
    assert set(record(tiny, "03_prep")["libraries"]) == {"python", "pyyaml", "scikit_learn"}
    assert set(record(tiny, "01_ingest")["libraries"]) == {"python"}


def test_a_module_replaced_by_one_of_the_same_size_and_time_runs_as_what_it_is_now(done):
    path = done.root / "lib" / "alpha.py"
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}
    assert done.run(FORCE="1", **compiled).returncode == 0
    before = path.stat()
    path.write_text(path.read_text().replace("list(range(n))", "list(range(9))"))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    result = done.run(**compiled)
    assert "01_ingest: lib/alpha.py changed" in result.stdout
    assert json.loads((done.folder() / "raw.json").read_text()) == list(range(9))
