"""The closing lines of a run say what is in its files, and no more."""

import json

import pytest

from lib.pipeline import summary


@pytest.mark.parametrize(
    ("holder", "outcome", "line"),
    [
        (2, "better", "Registered: taxi version 2, now champion"),
        (1, "not better", "Registered: taxi version 2; champion stays version 1 (not better)"),
        (1, "unfair", "Registered: taxi version 2; champion stays version 1 (unfair)"),
    ],
)
def test_the_alias_is_told_of_the_version_that_holds_it(tmp_path, holder, outcome, line):
    told = {"name": "taxi", "version": 2, "alias": "champion", "holder": holder, "outcome": outcome}
    (tmp_path / "registry.json").write_text(json.dumps(told))
    record = tmp_path / "notebooks" / "06_registry.json"  # the step is done
    record.parent.mkdir()
    record.write_text(json.dumps({"outputs": {"registry": "0" * 32}}))
    assert line in summary.headline(tmp_path)
