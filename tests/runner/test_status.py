"""The closing lines of a run say what is in its files, and no more."""

import pytest

from lib.records import Registration, StepRecord
from lib.runner import status

DONE = StepRecord(
    step="06_registry",
    code=[],
    parameters={},
    modules={},
    inputs={},
    outputs={"registry": "0" * 64},
    started="2026-03-01T14:05:09+01:00",
    seconds=1.0,
    reasons=[],
    kernel="warm",
)


@pytest.mark.parametrize(
    ("holder", "outcome", "line"),
    [
        (2, "better", "Registered: taxi version 2, now champion"),
        (1, "not better", "Registered: taxi version 2; champion stays version 1 (not better)"),
        (1, "unfair", "Registered: taxi version 2; champion stays version 1 (unfair)"),
    ],
)
def test_the_alias_is_told_of_the_version_that_holds_it(tmp_path, holder, outcome, line):
    registered = Registration(
        name="taxi",
        version=2,
        digest="d",
        outcome=outcome,
        reason="",
        alias="champion",
        holder=holder,
        metric="rmse",
        test_rows=9,
        score=1.0,
        rival="version 1",
        rival_score=2.0,
    )
    registered.write(tmp_path / "registry.json")
    assert status.headline(tmp_path) == []  # the step that writes it is not done
    DONE.write(tmp_path / "notebooks" / "06_registry.json")
    assert line in status.headline(tmp_path)
