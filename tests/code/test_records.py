"""Records: what is written is read back, and what does not fit its fields is no record."""

import datetime
import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from lib import files, records
from lib.files import content
from lib.records import Metrics, OpenStep, Record, Registration, StepRecord, Tuned


@dataclass(frozen=True)
class Parcel(Record):
    """A record with a field of each kind."""

    name: str
    count: int
    weight: float
    fragile: bool
    note: str | None
    parts: list[str]
    sizes: dict[str, float]
    anything: Any
    rows: list[dict[str, int]] = field(default_factory=list)
    colour: str = "grey"


WHOLE = {
    "format": 2,
    "name": "x",
    "count": 3,
    "weight": 1.5,
    "fragile": True,
    "note": None,
    "parts": ["a", "b"],
    "sizes": {"w": 2.0, "h": 3},
    "anything": [1, {"deep": None}],
}


def test_a_whole_mapping_is_a_record_and_its_defaults_are_filled_in():
    found = Parcel.of(WHOLE)
    assert (found.name, found.count, found.parts, found.sizes) == ("x", 3, ["a", "b"], {"w": 2.0, "h": 3})
    assert (found.rows, found.colour) == ([], "grey")


def test_what_is_written_is_read_back_with_its_format(tmp_path):
    parcel = Parcel.of(WHOLE | {"rows": [{"a": 1}], "colour": "red"})
    parcel.write(tmp_path / "parcel.json")
    assert json.loads((tmp_path / "parcel.json").read_text())["format"] == 2
    assert Parcel.read(tmp_path / "parcel.json") == parcel
    assert Parcel.of(parcel.to_mapping()) == parcel


def test_a_file_that_is_absent_or_cut_off_is_no_record(tmp_path):
    assert Parcel.read(tmp_path / "parcel.json") is None
    (tmp_path / "parcel.json").write_text(json.dumps(WHOLE)[:40])
    assert Parcel.read(tmp_path / "parcel.json") is None


@pytest.mark.parametrize("number", [1, 3, None, "2"])
def test_another_format_is_no_record(number):
    assert Parcel.of(WHOLE | {"format": number}) is None
    assert Parcel.of({k: v for k, v in WHOLE.items() if k != "format"}) is None


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"format"}))
def test_a_field_without_default_must_be_there(name):
    assert Parcel.of({k: v for k, v in WHOLE.items() if k != name}) is None


def test_a_key_that_is_no_field_is_left_alone():
    assert Parcel.of(WHOLE | {"of_a_later_day": 1}) == Parcel.of(WHOLE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 3),
        ("name", None),
        ("count", 3.0),
        ("count", True),
        ("count", "3"),
        ("weight", True),
        ("weight", "1"),
        ("weight", None),
        ("fragile", 1),
        ("note", 3),
        ("parts", "ab"),
        ("parts", ["a", 1]),
        ("parts", {"a": "b"}),
        ("sizes", {"w": "wide"}),
        ("sizes", {"w": 1.0, "h": None}),
        ("sizes", [1.0]),
        ("rows", [{"a": "1"}]),
        ("rows", [[1]]),
        ("rows", None),
    ],
)
def test_a_value_of_another_type_is_no_record(name, value):
    assert Parcel.of(WHOLE | {name: value}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", 2),
        ("note", "keep dry"),
        ("parts", []),
        ("sizes", {}),
        ("anything", None),
        ("anything", "text"),
        ("rows", [{"a": 1}, {}]),
    ],
)
def test_a_value_of_the_field_s_type_is_taken(name, value):
    assert getattr(Parcel.of(WHOLE | {name: value}), name) == value


def test_a_class_variable_and_a_field_that_is_not_given_are_asked_of_nobody():
    @dataclass(frozen=True)
    class Counted(Record):
        unit: ClassVar[str] = "g"
        weight: int
        made: str = field(init=False, default="here")

    assert Counted.of({"format": 2, "weight": 3}) == Counted(3)
    assert Counted.of({"format": 2, "weight": 3, "made": 7}) == Counted(3)


def test_this_moment_is_told_with_its_offset():
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    told = datetime.datetime.fromisoformat(records.now())
    assert before <= told <= datetime.datetime.now(datetime.UTC)
    assert told.utcoffset() is not None
    assert told.microsecond == 0


def test_a_step_is_closed_once_it_has_said_its_modules():
    assert not OpenStep(pid=1).closed
    assert OpenStep(pid=1, modules=[]).closed


def test_the_figures_of_a_run_are_flat_in_the_file_and_by_name_when_read(tmp_path):
    Metrics({"test_rmse": 4.5, "gap": None}).write(tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"format": 2, "test_rmse": 4.5, "gap": None}
    found = Metrics.read(tmp_path / "metrics.json")
    assert found == Metrics({"test_rmse": 4.5, "gap": None})
    assert found["test_rmse"] == 4.5


@pytest.mark.parametrize(
    "mapping", [{"test_rmse": 4.5}, {"format": 1, "test_rmse": 4.5}, {"format": 2, "test_rmse": "4.5"}, {}]
)
def test_figures_of_another_format_or_type_are_no_record(mapping):
    assert Metrics.of(mapping) is None


def test_a_record_of_one_kind_is_not_taken_for_another():
    step = StepRecord("04_tune", [], {}, {}, {}, {}, "now", 1.0, [], "warm")
    assert StepRecord.of(step.to_mapping()) == step
    assert Registration.of(step.to_mapping()) is None
    assert Tuned.of(step.to_mapping()) is None


def test_what_steps_read_by_name_are_these_records():
    named = {"tuned": Tuned, "metrics": Metrics, "registry": Registration, "cautions": records.Cautions}
    assert named == records.BY_NAME


def test_what_finished_and_open_steps_know_of_files_is_handed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "_KNOWN", {})
    (tmp_path / "notebooks").mkdir()
    for name in ("raw", "train", "gone"):
        (tmp_path / f"{name}.json").write_text(name)
    stamps = {name: files.stamp(tmp_path / f"{name}.json") for name in ("raw", "train", "gone")}
    outputs = {"raw": "r", "train": "t", "gone": "g"}
    finished = StepRecord("a", [], {}, {}, {}, {}, "now", 1.0, [], "warm")
    first = {name: stamps[name] for name in ("raw", "gone")}
    replace(finished, stamps=first, outputs=outputs).write(tmp_path / "notebooks" / "a.json")
    OpenStep(1, stamps={"train": stamps["train"]}, outputs=outputs).write(tmp_path / "notebooks" / "b.json")
    (tmp_path / "notebooks" / "c.json").write_text("{")
    (tmp_path / "gone.json").unlink()
    records.hand_on_digests(tmp_path)
    assert files.digest(tmp_path / "raw.json") == "r"
    assert files.digest(tmp_path / "train.json") == "t"
    assert {path.stem for path in content._KNOWN} == {"raw", "train"}


def test_what_goes_with_every_figure_is_that_of_the_data_and_that_of_the_model(tmp_path):
    assert records.cautions(tmp_path) == []
    records.Cautions(["Later rows judge earlier ones."]).write(tmp_path / "cautions.json")
    records.Metrics({"test_rmse": 2.0, "beats_constant": 1.0}).write(tmp_path / "metrics.json")
    assert records.cautions(tmp_path) == ["Later rows judge earlier ones."]
    records.Metrics({"test_rmse": 2.0, "beats_constant": 0.0}).write(tmp_path / "metrics.json")
    assert records.cautions(tmp_path)[1] == "The model is no better than one that always answers the same."
    records.Metrics({"test_rmse": 2.0, "beats_constant": None}).write(tmp_path / "metrics.json")
    assert records.cautions(tmp_path)[1].startswith("Nobody can say if the model is better than one")
