"""A step's record names what the step used of `lib`: imported or read, and nothing else."""

import subprocess
import sys
from pathlib import Path

from lib import dependencies

ROOT = Path(__file__).resolve().parents[2]


def modules_after(code: str) -> list[str]:
    program = f"from lib import dependencies\ndependencies.watch()\n{code}\nprint(*dependencies.modules())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_what_was_imported_is_used_and_what_was_not_is_not():
    found = modules_after("import lib.errors")
    assert "lib.errors" in found
    assert "lib.sources" not in found


def test_a_source_file_that_is_copied_or_read_is_used_without_being_imported(tmp_path):
    entry = ROOT / "lib" / "packaging" / "entry.py"
    copied = modules_after(f"import shutil; shutil.copy({str(entry)!r}, {str(tmp_path)!r})")
    assert "lib.packaging.entry" in copied
    assert "lib.plots" in modules_after(f"open({str(ROOT / 'lib' / 'plots' / '__init__.py')!r}).read()")


def test_what_is_read_to_see_whether_it_has_changed_is_not_used():
    whole = "from lib import paths\nfrom lib.step import page"
    asked = modules_after(f"{whole}\npage.depends_on('04_tune', {{}}, '')")
    assert asked == modules_after(whole)
    plots = ROOT / "lib" / "plots" / "__init__.py"
    assert "lib.plots" in modules_after(f"with dependencies.unused(): pass\nopen({str(plots)!r}).read()")


def test_a_file_elsewhere_is_none_of_ours(tmp_path):
    (tmp_path / "lib.py").write_text("")
    before = modules_after("")
    assert modules_after(f"open({str(tmp_path / 'lib.py')!r}).read()") == before


def test_what_was_used_can_be_said_while_another_thread_imports():
    program = """
import sys, threading, types
from lib import dependencies

sys.setswitchinterval(1e-6)
done = threading.Event()

def imports():
    number = 0
    while not done.is_set():
        sys.modules[f"made{number % 5000}"] = types.ModuleType("made")
        sys.modules.pop(f"made{(number - 3000) % 5000}", None)
        number += 1

thread = threading.Thread(target=imports)
thread.start()
try:
    for _ in range(2000):
        dependencies.modules()
finally:
    done.set()
    thread.join()
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)


def test_a_version_whose_files_somebody_keeps_elsewhere_is_known_by_its_number(outputs):
    from lib import tracking

    client = tracking.client(tracking.prepare(outputs))
    client.create_registered_model("p")
    for number in (1, 2):
        client.create_model_version("p", f"s3://bucket/{number}")
        client.set_registered_model_alias("p", "champion", str(number))
        assert dependencies.registered("models:/p@champion", outputs) == (f"version {number}, None", None)
    assert dependencies.registered("models:/p/3", outputs) == ("", None)
    (outputs / "mlflow.db").write_text("no database")
    assert dependencies.registered("models:/p/1", outputs) == ("", None)


def test_places_of_libraries_that_are_absent_or_cannot_be_read_are_passed_over(tmp_path, monkeypatch):
    (tmp_path / "there" / "some_lib-1.2.dist-info").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "shut").mkdir(mode=0)  # to all but root
    names = ["gone", "file", "shut", "x" * 300, "there"]
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in names])
    dependencies.installed.cache_clear()
    try:
        assert dependencies.installed()["some_lib"] == "1.2"
    finally:
        dependencies.installed.cache_clear()
