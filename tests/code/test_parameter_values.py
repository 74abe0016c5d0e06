"""What a value of YAML becomes under an annotation, and which values are refused, in which words."""

import datetime
import re

import pytest

from lib import redaction
from lib.errors import ParameterError
from lib.notebook_source import Declared, Notebook, annotations, parameters, plain_yaml
from lib.notebook_source.annotations import Misfit, fit, fit_text
from lib.paths import Project

DAY = datetime.date(2023, 1, 5)


@pytest.mark.parametrize(
    ("value", "annotation", "wanted"),
    [
        (5, "", 5),
        ("any", "Unheard", "any"),
        (5, "int", 5),
        ("1e3", "int", 1000),
        (2, "float", 2.0),
        (2.5, "float", 2.5),
        ("-1.5e-3", "float", -0.0015),
        (".5", "float", 0.5),
        ("+2", "int", 2),
        ("5.", "float", 5.0),
        (DAY, "str", "2023-01-05"),
        ("a", "Path", "a"),
        ("a", "pathlib.Path", "a"),
        (True, "bool", True),
        (None, "None", None),
        (None, "int | None", None),
        (3, "int | None", 3),
        ("x", "int | str", "x"),
        (None, "Optional[int]", None),
        (3, "typing.Optional[int]", 3),
        ("x", "Union[int, str]", "x"),
        (["a"], "list", ["a"]),
        (["a"], "Sequence", ["a"]),
        ([1, 2], "list[float]", [1.0, 2.0]),
        ([1], "collections.abc.Sequence[float]", [1.0]),
        ([DAY], "tuple[str, ...]", ["2023-01-05"]),
        ({"a": 1}, "dict", {"a": 1}),
        ({"a": 1}, "Mapping", {"a": 1}),
        ({"a": 1}, "dict[str, float]", {"a": 1.0}),
        ({DAY: [1]}, "Mapping[str, list[float]]", {"2023-01-05": [1.0]}),
        (5, "set[int]", 5),
        ("odd", 'Literal["plain", "odd"]', "odd"),
        (2, "Literal[1, 2]", 2),
        (3, "'float'", 3.0),
        (3, "Annotated[float, 'how much']", 3.0),
        (0, "Annotated[float, Range(0, 1), 'how much']", 0.0),
        (1, "Annotated[float, problem.Range(0, 1)]", 1.0),
        (-5, "Annotated[int, Range(None, 1)]", -5),
        (5, "Annotated[int, Range(0, None)]", 5),
        (1e-9, "Annotated[float, Range(0, 1, strict=True)]", 1e-9),
        ("1e19", "int", 10**19),
        (None, "Annotated[int | None, Range(0, 1)]", None),
        (7, "Annotated[int, Other(0, 1)]", 7),
    ],
)
def test_a_value_is_taken_to_its_declared_type(value, annotation, wanted):
    found = fit(value, annotation)
    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("value", "annotation", "said"),
    [
        (2.5, "int", "int, not 2.5"),
        (True, "int", "int, not True"),
        (True, "float", "float, not True"),
        ("1.5", "int", "int, not '1.5'"),
        ("e5", "float", "float, not 'e5'"),
        (5, "str", "str, not 5; put it in quotes to make it text"),
        (datetime.datetime(2023, 1, 5, 6, tzinfo=datetime.UTC), "str", "str, not "),
        (5, "Path", "str, not 5"),
        (1, "bool", "bool, not 1; write true or false"),
        (0, "None", "null, not 0"),
        ("x", "int | None", "int | None, not 'x'"),
        ("x", "Optional[int]", "Optional[int], not 'x'"),
        (2.5, "Union[int, str]", "Union[int, str], not 2.5"),
        ("ab", "list[str]", "list, not 'ab'; write it as [a, b]"),
        ("ab", "Sequence", "list, not 'ab'; write it as [a, b]"),
        (["a", 1], "list[str]", "str, not 1"),
        ([1], "dict[str, int]", "dict, not [1]; write it as {key: value}"),
        ([1], "Mapping", "dict, not [1]"),
        ({1: 1}, "dict[str, int]", "str, not 1"),
        ({"a": "b"}, "dict[str, int]", "int, not 'b'"),
        ("even", 'Literal["plain", "odd"]', "'plain' or 'odd', not 'even'"),
        (-0.5, "Annotated[float, Range(0, 1)]", "at least 0 and at most 1, not -0.5"),
        (1.5, "Annotated[float, Range(0, 1)]", "at least 0 and at most 1, not 1.5"),
        (0, "Annotated[float, Range(0, 1, strict=True)]", "above 0 and below 1, not 0"),
        (1.0, "Annotated[float, Range(0, 1, True)]", "above 0 and below 1, not 1.0"),
        ("1e300", "int", "int of 64 bits, not '1e300'"),
        ("-1e19", "int", "int of 64 bits, not '-1e19'"),
        (-1, "Annotated[int, 'words', Range(0, None)]", "at least 0, not -1"),
        (2, "Annotated[int, Range(None, 1)]", "at most 1, not 2"),
        ("x", "Annotated[int, Range(0, 1)]", "int, not 'x'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words_that_end_must_be(value, annotation, said):
    with pytest.raises(Misfit, match=re.escape(said)) as refused:
        fit(value, annotation)
    assert str(refused.value).startswith(said)


def test_only_the_bounds_that_there_are_are_named():
    assert annotations.bounds(0, 1) == ["at least 0", "at most 1"]
    assert annotations.bounds(0, 1, strict=True) == ["above 0", "below 1"]
    assert annotations.bounds(0.5, None) == ["at least 0.5"]
    assert annotations.bounds(None, 2) == ["at most 2"]
    assert annotations.bounds(None, None) == []


def test_text_of_a_command_line_is_read_as_yaml_where_it_does_not_fit_as_it_stands():
    assert fit_text("[a, b]", "list[str]") == ["a", "b"]
    assert fit_text("[a, b]", "str") == "[a, b]"
    assert fit_text("true", "bool") is True
    assert fit_text("{a: 1}", "dict[str, float]") == {"a": 1.0}
    assert fit_text(5, "float") == 5.0


@pytest.mark.parametrize(
    ("value", "annotation", "said"),
    [
        (5, "list", "list, not 5"),
        ("seven", "int", "int, not 'seven'"),
        ("[a", "list[str]", "list[str], not '[a'"),
    ],
)
def test_text_of_a_command_line_that_does_not_fit_either_way_is_refused(value, annotation, said):
    with pytest.raises(Misfit, match=re.escape(said)):
        fit_text(value, annotation)


# --- YAML --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("3", 3),
        ("yes", True),
        ("2023-01-05", DAY),
        ("[1, a, {b: 2}]", [1, "a", {"b": 2}]),
        ("{a: 1, b: {a: 1}}", {"a": 1, "b": {"a": 1}}),
        ("- {a: 1}\n- {a: 2}", [{"a": 1}, {"a": 2}]),
    ],
)
def test_yaml_is_what_its_safe_reader_says(text, found):
    assert plain_yaml.value(text, "here") == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "here is not YAML: "),
        ("a: [\nb", "here is not YAML in line 2: "),
        ("!!int 3", "here is not YAML: tags and anchors are not read"),
        ("a: &x [1]\nb: *x", "here is not YAML in line 1: tags and anchors are not read"),
        ("a: 1\nb: 2\na: 3", "here is not YAML in line 3: 'a' is given twice"),
        ("{a: {b: 1, b: 2}}", "here is not YAML: 'b' is given twice"),
        ("2023-13-01", "here is not YAML: month must be in"),
        ("[" * 5000, "here is not YAML: it is nested"),
        ("\x07", "here is not YAML: "),
    ],
)
def test_what_is_no_plain_yaml_is_refused_in_one_line_that_says_where(text, said):
    with pytest.raises(ParameterError, match=re.escape(said)) as refused:
        plain_yaml.value(text, "here")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def nested(depth):
    """A list in a list in a list, so many deep, with a number in it."""
    return "[" * (depth - 1) + "1" + "]" * (depth - 1)


def test_lists_may_stand_fifty_deep_and_side_by_side_as_often_as_one_likes():
    assert plain_yaml.DEEPEST == 50
    assert plain_yaml.value(f"[{nested(49)}, {nested(49)}]", "here")
    assert len(plain_yaml.value(f"[{'1, ' * 200}[2]]", "here")) == 201
    with pytest.raises(ParameterError, match="more than 50 deep"):
        plain_yaml.value(f"[{'1, ' * 200}{nested(50)}]", "here")
    with pytest.raises(ParameterError, match=r"^here is not YAML: it is nested more than 50 deep\.$"):
        plain_yaml.value(nested(51), "here")
    with pytest.raises(ParameterError, match=r"^here is not YAML: it is nested more than 50 deep\.$"):
        plain_yaml.value("[" * 5000, "here")


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0])
def test_a_whole_number_of_64_bits_is_read(number):
    assert plain_yaml.value(str(number), "here") == number


@pytest.mark.parametrize("text", [str(2**64), str(-(2**63) - 1), "9" * 101, "9" * 6000])
def test_a_larger_one_is_refused(text):
    with pytest.raises(ParameterError, match=r"here is not YAML: a whole number of it has more than 64 bits"):
        plain_yaml.value(text, "here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb:\n  <<: {c: 1}", "in line 3: `<<` is not read"),
        ('a: 1\nb: "x\\0"', "in line 2: it holds NUL or half a character"),
        (f"a: 1\nb: {2**64}", "in line 2: a whole number of it has more than 64 bits"),
        ("a: 1\nb: 2\na: 3\nc: 4", "in line 3: 'a' is given twice"),
        ("b: 1\n1: 2\n0x1: 3", "in line 3: '0x1' is given twice"),
    ],
)
def test_what_could_not_be_kept_is_refused_with_its_line(text, said):
    with pytest.raises(ParameterError, match=re.escape(f"here is not YAML {said}")):
        plain_yaml.value(text, "here")


def test_a_file_of_parameters_is_a_mapping(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("rows: 3\n", encoding="utf-8")
    assert plain_yaml.read(path, "a") == {"rows": 3}
    path.write_text("# nothing\n")
    assert plain_yaml.read(path, "a") == {}


def test_a_file_of_parameters_that_is_none_is_refused_by_the_name_that_was_typed(tmp_path):
    path = tmp_path / "a.yaml"
    for content, said in (
        (b"[1]", "mine must hold `key: value` lines, not list"),
        (b"a: \xff", "mine is not YAML: it is no UTF-8 (byte 3)"),
        (b"a: [", "mine is not YAML"),
    ):
        path.write_bytes(content)
        with pytest.raises(ParameterError, match=re.escape(said)):
            plain_yaml.read(path, "mine")


def test_a_file_that_is_not_there_is_answered_by_those_that_are(tmp_path):
    (tmp_path / "b.yaml").write_text("")
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "c.txt").write_text("")
    with pytest.raises(
        ParameterError,
        match=r"PARAMS=mine cannot be read \(No such file or directory\); there are \['a\.yaml', 'b\.yaml'\]",
    ):
        plain_yaml.read(tmp_path / "gone.yaml", "mine")
    with pytest.raises(ParameterError, match=r"there are \[\]"):
        plain_yaml.read(tmp_path / "nowhere" / "gone.yaml", "mine")


# --- P -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a b", ["a", "b"]),
        ("a  b", ["a", "", "b"]),
        ("a=[1 2] b={c: (3 4)}", ["a=[1 2]", "b={c: (3 4)}"]),
        ("a='b c' d", ["a='b c'", "d"]),
        ("a='(' d", ["a='('", "d"]),
        ('a="it\'s so" d', ['a="it\'s so"', "d"]),
        ("a=don't d", ["a=don't", "d"]),
        ("a) b", ["a)", "b"]),
        ("'a b' c", ["'a b'", "c"]),
    ],
)
def test_words_are_parted_where_no_bracket_and_no_quote_is_open(text, parts):
    assert parameters.split(text, " ") == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [("a=[1", "a bracket is opened"), ("a='b", "the quote ' is opened"), ('a="b', 'the quote " is opened')],
)
def test_what_is_opened_and_not_closed_is_named(text, said):
    with pytest.raises(ParameterError, match=f"P: {said} and not closed in"):
        parameters.split(text, " ")


def test_words_of_p_stand_apart_by_spaces_tabs_and_lines():
    assert parameters.overrides("a=1\tb=2\nc.d=3") == {"a": 1, "b": 2, "c.d": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "P: 'a' is not key=value"),
        ("1a=2", "P: '1a=2' is not key=value"),
        ("a-b=2", "P: 'a-b=2' is not key=value"),
        ("a=1 a=2", "P: a is given twice"),
        ("a={b: 1, b: 2}", "P: the value of a is not YAML: 'b' is given twice"),
        ("a.b=1 a={}", "P: a and a.b are given: take one away"),
        ("a={b: 1} c=2 a.b.d=1", "P: a and a.b.d are given: take one away"),
    ],
)
def test_a_word_of_p_that_cannot_be_is_named(text, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        parameters.overrides(text)


@pytest.mark.parametrize(
    ("text", "kind"), [("[]", "list"), ("0", "int"), ("false", "bool"), ("''", "str"), ("[1, 2]", "list")]
)
def test_a_file_of_parameters_holds_a_mapping_or_nothing(tmp_path, text, kind):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=f"mine must hold `key: value` lines, not {kind}"):
        plain_yaml.read(path, "mine")
    for nothing in ("", "# nothing yet\n", "---\n", "null", "{}"):
        path.write_text(nothing)
        assert plain_yaml.read(path, "mine") == {}


# --- what notebooks declare ----------------------------------------------------------------------------


def page(tmp_path, **annotated):
    """A notebook that declares parameters: name to (annotation, default)."""
    declared = {name: Declared(name, *how) for name, how in annotated.items()}
    return Notebook(tmp_path / "04_tune.ipynb", declared, (), (), (), ())


@pytest.fixture
def check(tmp_path):
    """Checks against two notebooks of a project without problems, and a key of the runner's."""
    notebooks = [
        page(tmp_path, keep=("float", 2.5), months=("list[str]", ["a"])),
        page(tmp_path, keep=("float", 2.5), depth=("int", 3), run=("str", "scratch"), space=("dict", {})),
    ]

    def asked(values, given=""):
        project = Project(tmp_path, tmp_path / "outputs")
        more = [Declared("pause_s", "float", 9.0)]
        return parameters.check(project, notebooks, "mine.yaml", values, given, more), notebooks

    return asked


def test_each_notebook_is_given_what_it_declares_and_its_default_else(check):
    checked, (first, second) = check({"keep": 1, "pause_s": 2}, "depth=7")
    assert checked.of(first) == {"keep": 1.0, "months": ["a"]}
    assert checked.of(second) == {"keep": 1.0, "depth": 7, "run": "scratch", "space": {}}
    assert checked.values["pause_s"] == 2.0
    assert (checked.file, checked.overrides) == ("mine.yaml", {"depth": 7})


@pytest.mark.parametrize("below", [[1], "all", 3])
def test_a_key_below_what_holds_no_keys_is_refused(check, below):
    with pytest.raises(ParameterError, match=r"P: space\.lasso\.alpha cannot be set, as lasso is "):
        check({"space": {"lasso": below}}, "space.lasso.alpha=2")
    with pytest.raises(ParameterError, match=r"P: space\.lasso cannot be set, as space is "):
        check({"space": below}, "space.lasso=2")
    assert check({"space": None}, "space.lasso=2")[0].values["space"] == {"lasso": 2}


def test_p_is_stronger_than_the_file_and_leaves_the_file_s_values_as_they_were(check):
    values = {"keep": 1, "space": {"lasso": {"alpha": 1}, "ridge": 2}}
    checked, _ = check(values, "keep=3 space.lasso.alpha=5 space.svm.c=1")
    assert checked.values["keep"] == 3.0
    assert checked.values["space"] == {"lasso": {"alpha": 5}, "ridge": 2, "svm": {"c": 1}}
    assert values == {"keep": 1, "space": {"lasso": {"alpha": 1}, "ridge": 2}}


@pytest.mark.parametrize(
    ("values", "given", "said"),
    [
        (
            {"kept": 1},
            "",
            "mine.yaml: no notebook has a parameter 'kept'. Did you mean 'keep'? Known are: depth",
        ),
        ({"space.lasso": 1}, "", "mine.yaml: no notebook has a parameter 'space.lasso'"),
        ({}, "months2.a=1", "P: no notebook has a parameter 'months2'"),
        ({"keep": "much"}, "", "mine.yaml: keep must be float, not 'much'"),
        ({"keep": "much"}, "depth=x", "mine.yaml: keep must be float"),
        ({"keep": 1}, "keep=much", "P: keep must be float"),
        ({}, "space=3", "P: space must be dict"),
        ({}, "keep.a=1", "P: keep must be float"),
        ({"run": "mine"}, "", "mine.yaml: `run` is not a parameter to give; name the run with RUN=name"),
        ({}, "run=mine", "P: `run` is not a parameter to give"),
    ],
)
def test_what_was_not_declared_or_does_not_fit_is_refused_with_where_it_stands(check, values, given, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        check(values, given)


def declaring(tmp_path, values, given="", **declared):
    """A check against one notebook that declares these parameters, without problems."""
    project = Project(tmp_path, tmp_path / "outputs")
    return parameters.check(project, [page(tmp_path, **declared)], "mine.yaml", values, given)


def test_a_parameter_that_has_another_name_now_is_told_by_that(tmp_path):
    said = "mine.yaml: no notebook has a parameter 'workers': it is called 'parallel' now."
    with pytest.raises(ParameterError, match=f"^{re.escape(said)}$"):
        declaring(tmp_path, {"workers": 2}, parallel=("int", 2))
    with pytest.raises(ParameterError, match=r"'workers'\. Known are: pace"):
        declaring(tmp_path, {"workers": 2}, pace=("int", 2))  # where nothing has the new name, either


@pytest.mark.parametrize(
    ("values", "given", "said"),
    [
        ({"folds": 1}, "", "mine.yaml: folds must be 0 (the validation rows score) or at least 2, not 1."),
        ({}, "folds=1", "P: folds must be 0 (the validation rows score) or at least 2, not 1."),
        ({}, "", "by default: seed must be at least 0 and at most 4,294,967,295, not -1."),
    ],
)
def test_a_value_that_nothing_could_be_done_with_is_told_with_where_it_stands(tmp_path, values, given, said):
    with pytest.raises(ParameterError, match=f"^{re.escape(said)}$"):
        declaring(tmp_path, values, given, folds=("int", 0), seed=("int", 0 if values or given else -1))


def test_limits_are_those_of_the_problem_and_of_the_families_that_are_meant(tmp_path):
    for name, text in {
        "datasets/tiny/training": "",
        "datasets/tiny/serving": 'SERVING = Serving(task="regression")\nFEATURE_SETS = {"plain": 1}\n',
        "tuning/hyperparameters": 'TABLE = {"lasso": {"alpha": "float"}, "forest": {"depth": "int"}}\n',
    }.items():
        path = tmp_path / "lib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    declared = {"problem": ("str", "tiny"), "models": ("list[str]", ["lasso"]), "fixed": ("dict", {})}
    declared["feature_set"] = ("str", "plain")
    assert declaring(tmp_path, {"fixed": {"alpha": 0.5}}, **declared).values["fixed"] == {"alpha": 0.5}
    for values, said in (
        ({"fixed": {"depth": 3}}, "fixed must be of hyperparameters: alpha; not 'depth'"),
        ({"models": ["forest"], "fixed": {"alpha": 0.5}}, "fixed must be of hyperparameters: depth;"),
        ({"feature_set": "rich"}, "feature_set must be a feature set of tiny, plain; not 'rich'"),
    ):
        with pytest.raises(ParameterError, match=re.escape(said)):
            declaring(tmp_path, values, **declared)


def test_a_secret_that_was_given_is_known_from_then_on(tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_GIVEN", set())
    text = ("str", "")
    declaring(tmp_path, {"api_key": "in-the-file-1"}, "a_password=in-P-22222", api_key=text, a_password=text)
    assert "in-the-file-1" not in redaction.text("it said in-the-file-1")
    assert "in-P-22222" not in redaction.text("it said in-P-22222")


@pytest.mark.parametrize("run", [None, ""])
def test_a_run_that_is_not_named_may_be_said(check, run):
    assert check({"run": run} if run is not None else {})[0].values.get("run") == run


# --- the options of a problem --------------------------------------------------------------------------

TRAINING = """
class TinyOptions(Options):
    noise: Annotated[float, Range(0, 10), "how much"] = 0.1
    kind: Annotated[Literal["plain", "odd"], "which"] = "plain"
"""


@pytest.fixture
def options(tmp_path):
    """Checks parameters of a project with the problems `tiny`, the notebooks' default, and `other`."""
    project = Project(tmp_path, tmp_path / "outputs")
    for name, text in {"tiny": TRAINING, "other": ""}.items():
        (project.datasets / name).mkdir(parents=True)
        (project.datasets / name / "training.py").write_text(text)
    notebooks = [page(tmp_path, problem=("str", "tiny"), options=("dict", {}))]

    def asked(values, given=""):
        return parameters.check(project, notebooks, "mine.yaml", values, given).values["options"]

    return asked


def test_options_are_checked_against_the_problem_and_taken_to_its_types(options):
    assert options({}) == {}
    found = options({"options": {"noise": 1, "kind": "odd"}}, "options.noise=2")
    assert (found, type(found["noise"])) == ({"noise": 2.0, "kind": "odd"}, float)


@pytest.mark.parametrize(
    ("values", "given", "said"),
    [
        (
            {"options": {"noise": 11}},
            "",
            "mine.yaml: options.noise must be at least 0 and at most 10, not 11",
        ),
        ({"options": {"noise": 11}}, "options.kind=odd", "mine.yaml: options.noise must be"),
        ({"options": {"noise": 1}}, "options.noise=11", "P: options.noise must be"),
        ({"options": {"noise": 1}}, "options={noise: 11}", "P: options.noise must be"),
        (
            {"options": {"nois": 1}},
            "",
            "mine.yaml: tiny has no option 'options.nois'. Did you mean 'options.noise'?",
        ),
        ({}, "options.nois=1", "P: tiny has no option 'options.nois'"),
        ({"problem": "other", "options": {"noise": 1}}, "", "mine.yaml: other has no option 'options.noise'"),
        ({"options": {"noise": 1}}, "problem=other", "mine.yaml: other has no option"),
        ({}, "problem=tini options.noise=1", "There is no problem 'tini'"),
    ],
)
def test_an_option_that_does_not_fit_is_refused_with_where_it_stands(options, values, given, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        options(values, given)


def test_where_no_problem_is_declared_or_there_are_none_options_are_not_checked(tmp_path):
    project, free = Project(tmp_path, tmp_path / "outputs"), page(tmp_path, options=("dict", {}))
    bound = page(tmp_path, problem=("str", "tiny"), options=("dict", {}))
    (project.datasets / "tiny").mkdir(parents=True)
    given = {"options": {"any": 1}}
    assert parameters.check(project, [free], "", given).values["options"] == {"any": 1}
    project.datasets.joinpath("tiny").rmdir(), project.datasets.rmdir()
    assert parameters.check(project, [bound], "", given).values["options"] == {"any": 1}
