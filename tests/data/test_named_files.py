"""A problem's checks on files that the user names: `make test-data PARAMS=... SAMPLE=a REFERENCE=b`.

Without SAMPLE there is nothing to look at, and these tests are left out. ALPHA sets how easily two samples
are told apart; a check that is a warning in the pipeline warns here as well.
"""

import os
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from lib import problem, profiling, quality
from lib.errors import ParameterError, WorkbookError
from lib.notebook_source import parameters, plain_yaml

ROOT = Path(__file__).resolve().parents[2]
SAMPLE, REFERENCE = os.environ.get("SAMPLE", ""), os.environ.get("REFERENCE", "")


@cache
def asked() -> tuple[problem.Dataset, float, str]:
    """The problem with its options, alpha, and what a moved distribution means, from PARAMS, P and ALPHA."""
    shown = os.environ.get("PARAMS") or "params/quickstart.yaml"
    values = plain_yaml.read(ROOT / shown, shown)
    given = parameters.overrides(os.environ.get("P", ""))
    options = dict(values.get("options") or {})
    options |= {
        key.removeprefix("options."): value for key, value in given.items() if key.startswith("options.")
    }
    values |= given
    alpha = os.environ.get("ALPHA") or values.get("alpha", 0.05)
    try:
        return problem.load(values["problem"], options), float(alpha), values.get("on_drift", "warn")
    except ValueError as error:
        raise ParameterError(f"ALPHA={alpha} is no number between 0 and 1.") from error


@cache
def frames() -> dict[str, pd.DataFrame]:
    """The files, the reference first, loaded and cleaned as the pipeline does."""
    dataset = asked()[0]
    named = {"reference": REFERENCE, "sample": SAMPLE}
    paths = {name: Path(path).expanduser() for name, path in named.items() if path}
    for name, path in paths.items():
        if not path.is_file():
            raise ParameterError(f"{name.upper()}={path}: there is no such file.")
    return {name: dataset.clean(dataset.load([path])).rows for name, path in paths.items()}


def checks() -> list[quality.Check]:
    """The problem's checks, and the comparison with the reference where there is one."""
    if not SAMPLE:
        return []
    try:
        (dataset, alpha, on_drift), there = asked(), frames()
    except WorkbookError as error:
        pytest.fail(str(error), pytrace=False)
    found = [quality.not_empty(), *dataset.checks()]
    if REFERENCE:
        numbers = profiling.comparable(dataset, there["reference"])
        found.append(quality.same_distribution(numbers, alpha).severe(on_drift))
    return found


@pytest.mark.skipif(
    not SAMPLE, reason="`make test-data` names the file: SAMPLE=a.parquet REFERENCE=b.parquet"
)
@pytest.mark.filterwarnings("default::UserWarning")  # what is a warning in the pipeline is one here
@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_the_named_file_holds(check: quality.Check) -> None:
    row = quality.run([check], frames()).iloc[0]
    if row["result"] == "warning":
        warnings.warn(f"{check.name}: {row['found']}", stacklevel=1)
    assert row["result"] != "error", f"{check.name}: {row['found']}. {check.why}"


@pytest.mark.skipif(bool(SAMPLE), reason="needs no named file")
def test_a_number_that_no_longer_varies_is_compared_all_the_same(tmp_path, monkeypatch) -> None:
    """A tempo of 120 in every song: the widest drift there can be, though the sample itself has no spread."""
    songs = problem.load("music_genres").generate(600, 1)
    songs.to_parquet(tmp_path / "before.parquet")
    songs.assign(tempo=120.0).to_parquet(tmp_path / "now.parquet")
    here = sys.modules[__name__]
    monkeypatch.setenv("PARAMS", "params/music_genres.yaml")
    monkeypatch.setattr(here, "REFERENCE", str(tmp_path / "before.parquet"))
    monkeypatch.setattr(here, "SAMPLE", str(tmp_path / "now.parquet"))
    asked.cache_clear(), frames.cache_clear()
    try:
        report = quality.run(checks(), frames())
    finally:
        asked.cache_clear(), frames.cache_clear()
    assert "tempo" in report.loc["rows distributed as in the reference", "found"]


@pytest.mark.skipif(bool(SAMPLE), reason="needs no named file")
def test_a_check_that_is_a_warning_warns_and_does_not_fail(tmp_path) -> None:
    songs = problem.load("music_genres").generate(600, 1)
    songs.to_parquet(tmp_path / "before.parquet")
    songs.assign(tempo=120.0).to_parquet(tmp_path / "now.parquet")
    named = {"SAMPLE": str(tmp_path / "now.parquet"), "REFERENCE": str(tmp_path / "before.parquet")}
    given = os.environ | named | {"PARAMS": "params/music_genres.yaml", "P": ""}
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", str(Path(__file__))]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"UserWarning: rows distributed as in the reference: .*tempo", done.stdout)
