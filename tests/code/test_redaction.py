"""What is secret is hidden by its name, in an address and by its value; what only looks like it is not."""

import json

import nbformat
import pytest

from lib import files, redaction
from lib.compute import pool
from lib.records import FailedStep
from lib.runner import recovery
from lib.runner.staleness import Place


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(redaction, "_GIVEN", set())


def hidden(value) -> str:
    return redaction.hidden(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "abc"),
        ("apikey", "abc"),
        ("my_API_KEY", 7),
        ("access_token", "t"),
        ("db_password", "pw"),
        ("client_secret", "s"),
        ("aws_credentials", "c"),
    ],
)
def test_a_parameter_is_hidden_by_its_name(name, value):
    assert redaction.redact({name: value}) == {name: hidden(value)}


@pytest.mark.parametrize(
    "shown",
    [
        {"max_tokens": 500},
        {"max_tokens": "500"},  # as a sweep has it
        {"n_keys": 3},
        {"keyword": "taxi", "tokenizer": "words"},
        {"api_key": None, "password": "", "use_token": True},
        {"months": ["2023-01"], "columns": ["key", "token", "tempo"]},
        {"mail": "who@example.org", "page": "https://example.org/@who"},
    ],
)
def test_what_only_looks_like_a_secret_is_shown(shown):
    assert redaction.redact(shown) == shown


def test_secrets_are_found_in_mappings_lists_and_addresses():
    given = {
        "options": {"token": "t", "rows": 5, "file": "https://me:pw@h/x?api_key=k&page=2"},
        "credentials": {"user": "me", "host": ["a", "b"]},
        "urls": ["http://me:pw@h/x", "http://h/y"],
    }
    assert redaction.redact(given) == {
        "options": {
            "token": hidden("t"),
            "rows": 5,
            "file": f"https://{hidden('me:pw')}@h/x?api_key={hidden('k')}&page=2",
        },
        "credentials": {"user": hidden("me"), "host": [hidden("a"), hidden("b")]},
        "urls": [f"http://{hidden('me:pw')}@h/x", "http://h/y"],
    }


def test_another_value_is_hidden_as_another_and_what_is_hidden_stays_as_it_is():
    given = {"api_key": "one-of-mine", "url": "https://me:pw@h/?token=t"}
    kept = redaction.redact(given)
    assert redaction.redact(kept) == kept
    assert redaction.redact({"api_key": "another"})["api_key"] != kept["api_key"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("WANDB_API_KEY", "5ecre7f00d", "the key is 5ecre7f00d."),
        ("MLFLOW_TRACKING_PASSWORD", "correct-horse-battery", "{'P': 'correct-horse-battery'}"),
        ("DATABASE", "postgres://me:hunter22@db/x", "password hunter22"),
        ("MY_SECRET", 'a"b&c<d/e', json.dumps({"x": 'a"b&c<d/e'})),
        ("MY_SECRET", 'a"b&c<d/e', "<td>a&quot;b&amp;c&lt;d/e</td>"),
        ("MY_SECRET", 'a"b&c<d/e', "?x=a%22b%26c%3Cd%2Fe"),
    ],
    ids=["key", "phrase", "in an address", "in JSON", "in HTML", "in a query"],
)
def test_a_secret_of_the_environment_is_hidden_by_its_value_wherever_it_stands(
    monkeypatch, name, value, text
):
    assert "(hidden" not in redaction.text(text)
    monkeypatch.setenv(name, value)
    assert hidden(value.rpartition("://me:")[2].removesuffix("@db/x")) in redaction.text(text)


def test_a_key_of_many_lines_is_hidden_line_by_line(monkeypatch):
    monkeypatch.setenv("PRIVATE_KEY", "-----BEGIN-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n")
    text = redaction.text(json.dumps(["MIIEvQIBADAN\n", "BgkqhkiG9w0B\n"]))
    assert json.loads(text) == [f"{hidden('MIIEvQIBADAN')}\n", f"{hidden('BgkqhkiG9w0B')}\n"]


def test_why_a_trial_failed_holds_no_secret(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "5ecre7f00d")
    assert pool.failed("refused 5ecre7f00d")["reason"] == f"refused {hidden('5ecre7f00d')}"


@pytest.mark.parametrize("value", ["1", "true", "None", "postgres", "green_taxi", __file__])
def test_a_value_that_could_be_anything_is_hidden_nowhere(monkeypatch, value):
    monkeypatch.setenv("SOME_KEY", value)
    assert redaction.text(f"it is {value} here") == f"it is {value} here"


def test_a_secret_parameter_is_hidden_by_its_value_once_it_is_remembered():
    text = "refused: sk-0123456789 and 20231107"
    redaction.remember({"options": {"api_key": "sk-0123456789"}, "pin_password": 20231107, "seed": 42})
    assert redaction.text(text) == f"refused: {hidden('sk-0123456789')} and {hidden(20231107)}"


@pytest.mark.parametrize("secret", ["hunter2", "correcthorse", "Xylqaz", "pw:1", "gold", "739155"])
def test_a_short_secret_parameter_is_hidden_as_a_word_of_its_own(secret):
    redaction.remember({"options": {"password": secret}})
    for text in (f"refused {secret}.", f"{{'password': '{secret}'}}", f"<td>{secret}</td>", f"a,{secret}\n"):
        assert redaction.text(text) == text.replace(secret, hidden(secret))
    for text in (f"un{secret}able", f"{secret}s", f"0.{secret}", f"{secret},5", f"1{secret}"):
        assert redaction.text(text) == text
    once = redaction.text(f"no {secret}")
    assert redaction.text(once) == once


@pytest.mark.parametrize("secret", ["abc", "2024", "12345", "", __file__])
def test_a_secret_parameter_that_says_nothing_is_hidden_by_its_name_alone(secret):
    redaction.remember({"options": {"password": secret}})
    assert redaction.text(f"it is {secret} here") == f"it is {secret} here"


def test_a_word_that_is_a_secret_too_spoils_no_record_and_no_other_secret(tmp_path):
    redaction.remember({"token": "train", "password": "hidden", "other_key": hidden("train")[8:-1]})
    record = {"step": "train", "reads": ["train"], "train": "it was train", "03_train": 'of "train-x"'}
    files.write_json(tmp_path / "a.json", record)
    said = hidden("train")
    assert files.read_json(tmp_path / "a.json") == {
        **record,
        "train": f"it was {said}",
        "03_train": f'of "{said}-x"',
    }
    assert redaction.texts({"train": "train", "a": "a train"}) == {"train": "train", "a": f"a {said}"}


def test_what_is_written_as_text_or_json_holds_no_secret(tmp_path, monkeypatch):
    value = 'tok"en-1234'
    monkeypatch.setenv("SOME_TOKEN", value)
    files.write_text(tmp_path / "a.txt", f"at http://me:pw@h/x with {value}")
    files.write_json(tmp_path / "a.json", {"at": ["http://me:pw@h/x"], "with": value, "key": "C#"})
    expected = f"at http://{hidden('me:pw')}@h/x with {hidden(value)}"
    assert (tmp_path / "a.txt").read_text() == expected
    assert files.read_json(tmp_path / "a.json") == {
        "at": [f"http://{hidden('me:pw')}@h/x"],
        "with": hidden(value),
        "key": "C#",
    }


def test_a_password_of_digits_leaves_the_numbers_of_a_record_and_of_a_notebook_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "12345678")
    figures = {"share": 0.412345678, "rows": 12345678}
    files.write_json(tmp_path / "a.json", {**figures, "said": "12345678", "of 12345678": [12345678]})
    said = hidden("12345678")
    assert files.read_json(tmp_path / "a.json") == {**figures, "said": said, f"of {said}": [12345678]}

    cell = nbformat.v4.new_code_cell("12345678", metadata={"papermill": {"duration": 0.412345678}})
    place = Place(tmp_path, "01_ingest")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    recovery.keep_failed(place, notebook, FailedStep("01_ingest", 1, 1, "12345678", "no 12345678"))
    left = nbformat.read(place.failed, as_version=4)
    assert (left.cells[1].source, left.cells[1].metadata) == (said, cell.metadata)
    assert FailedStep.read(place.failure).error == f"no {said}"
