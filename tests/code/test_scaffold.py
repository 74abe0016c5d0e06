"""A new problem from a file of the user's: what is guessed, what is refused, that what is written runs."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib import datasets, paths, problem, quality
from lib.errors import DataError, ParameterError, SourceError
from lib.notebook_source import problems
from lib.problem import Dataset
from lib.runtime import encoders
from lib.scaffold import inspection, new_problem

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _packages_of_this_test(tmp_path, monkeypatch):
    """What a test writes below its folder is imported from there as part of `lib.datasets`, and forgotten."""
    before = set(sys.modules)
    monkeypatch.setattr(datasets, "__path__", [*datasets.__path__, str(tmp_path / "lib/datasets")])
    yield
    for name in set(sys.modules) - before:
        if name.startswith("lib.datasets."):
            del sys.modules[name]


def customers(rows: int = 200) -> pd.DataFrame:
    """A table with one column of each kind."""
    return pd.DataFrame(
        {
            "customer_id": np.arange(5000, 5000 + rows),
            "tenure (months)": RANDOM.integers(0, 72, rows),
            "Straße": RANDOM.choice(["Ost", "West", "Süd"], rows),
            "charges": RANDOM.normal(60, 20, rows).round(2),
            "since": pd.date_range("2020-01-01", periods=rows, freq="D").strftime("%d/%m/%Y"),
            "note": [f"called about bill number {i} and the router" for i in range(rows)],
            "country": "DE",
            "churned": RANDOM.choice(["yes", "no"], rows),
        }
    )


def written(
    folder: Path, table: pd.DataFrame | str | bytes, target: str, name: str = "mine", **csv
) -> Dataset:
    """Write the table to a file, make a problem of it, import it as a notebook would, and return it."""
    path = folder / ("data.parquet" if csv.pop("parquet", False) else "data.csv")
    if isinstance(table, pd.DataFrame):
        table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False, **csv)
    else:
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
    new_problem(name, path, target, folder)
    importlib.invalidate_caches()
    dataset = importlib.import_module(f"lib.datasets.{name}.training").DATASET
    return dataset.with_options({"file": str(path)})


def goes_through(dataset: Dataset, source: str = "published", rows: int = 400) -> pd.DataFrame:
    """The rows of a problem through ingest, rules, split, checks and its encoders."""
    raw, _ = dataset.ingest(source, rows, 0)
    parts = dataset.split(dataset.clean(raw).rows, 42)
    quality.enforce(quality.run((*dataset.checks(), quality.not_empty(), quality.apart()), parts))
    assert set(parts["train"]) == {*raw, dataset.target.name}
    encoding = encoders.Encoding(dataset.feature_set("all").encodes)
    matrix = encoding.fit_transform(parts["train"], parts["train"][dataset.target.name])
    assert matrix.shape[0] == len(parts["train"])
    assert encoding.transform(parts["test"]).shape[1] == matrix.shape[1]
    return raw


def kinds(dataset: Dataset) -> dict[str, str]:
    return {name: column.kind for name, column in dataset.columns.items()}


@pytest.mark.parametrize("parquet", [False, True])
def test_each_column_is_inferred_and_the_problem_runs_on_the_file_and_without_it(tmp_path, parquet):
    dataset = written(tmp_path, customers(), "churned", parquet=parquet)
    assert kinds(dataset) == {
        "customer_id": "id",
        "tenure (months)": "number",
        "Straße": "category",
        "charges": "number",
        "since": "time",
        "note": "text",
        "churned": "category",
    }
    assert (dataset.task, dataset.metric) == ("classification", "auc")
    raw = goes_through(dataset)
    assert len(raw) == 200
    generated = goes_through(dataset, "generated")
    assert generated.dtypes.astype(str).to_dict() == raw.dtypes.astype(str).to_dict()
    assert "customer_id" not in dataset.inputs(dataset.feature_set("all"))


def test_what_was_inferred_and_left_out_is_printed_with_its_reason(tmp_path):
    path = tmp_path / "data.csv"
    customers().to_csv(path, index=False)
    summary = new_problem("mine", path, "churned", tmp_path)
    assert "country                          left out  always the same" in summary
    assert "a name tag" in summary
    assert "make pipeline PARAMS=params/mine.yaml" in summary
    assert "'country': always the same" in (tmp_path / "lib/datasets/mine/serving.py").read_text()


def test_what_is_written_is_short_and_passes_the_projects_lint(tmp_path):
    written(tmp_path, customers(), "churned")
    package = tmp_path / "lib" / "datasets" / "mine"
    assert sorted(path.name for path in package.glob("*.py")) == ["__init__.py", "serving.py", "training.py"]
    assert sum(len(path.read_text().splitlines()) for path in package.glob("*.py")) < 160
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", ROOT / "pyproject.toml"]
        result = subprocess.run([*ruff, package], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_serving_half_imports_runtime_alone_and_only_relatively(tmp_path):
    written(tmp_path, customers(), "churned")
    tree = ast.parse((tmp_path / "lib/datasets/mine/serving.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {ast.unparse(node).split(" import")[0] for node in imports} == {
        "from ...runtime.features",
        "from ...runtime.schema",
    }


def test_its_options_are_read_without_running_it(tmp_path):
    written(tmp_path, customers(), "churned")
    options = problems.options(tmp_path / "lib/datasets/mine/training.py")
    assert list(options) == ["file", "test_share", "validation_share"]
    assert options["test_share"].type == "float, above 0, below 1"
    assert options["test_share"].meaning == "of all rows"


def test_what_the_target_is_said_to_be_is_true_of_the_file_and_no_gap_to_be_filled(tmp_path):
    dataset = written(tmp_path, customers(), "churned")
    assert dataset.target.meaning == "2 classes, as the file has it"


def test_a_file_below_the_project_is_named_from_there_and_another_one_whole(tmp_path):
    table = tmp_path / "tables" / "data.csv"
    table.parent.mkdir()
    customers().to_csv(table, index=False)
    new_problem("inside", table, "churned", tmp_path)
    new_problem("outside", table, "churned", tmp_path / "project")
    assert 'FILE = "tables/data.csv"\n' in (tmp_path / "lib/datasets/inside/training.py").read_text()
    outside = tmp_path / "project" / "lib/datasets/outside/training.py"
    assert f'FILE = "{table}"\n' in outside.read_text()


def test_the_same_bytes_in_another_folder_are_the_same_source(tmp_path):
    dataset = written(tmp_path, customers(), "churned")
    copy = tmp_path / "elsewhere" / "data.csv"
    copy.parent.mkdir()
    copy.write_bytes((tmp_path / "data.csv").read_bytes())
    here, there = dataset, dataset.with_options({"file": str(copy)})
    for source in ("published", "generated"):
        provenance = here.ingest(source, 50, 0)[1]
        assert provenance == there.ingest(source, 50, 0)[1]
        assert str(tmp_path) not in str(provenance)


def test_a_problem_of_an_earlier_workbook_is_refused_in_one_line_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    module = tmp_path / "lib" / "datasets" / "churn.py"
    module.parent.mkdir(parents=True)
    module.write_text("from lib.datasets._table import Marginal\n")
    with pytest.raises(ParameterError, match=r"^lib/datasets/churn\.py .*make new-problem NAME=churn .*$"):
        problem.load("churn")
    with pytest.raises(ParameterError, match=r"churn\.py is there already and is not overwritten"):
        written(tmp_path, customers(), "churned", "churn")


def test_numbers_make_a_regression_and_few_whole_ones_or_names_a_classification(tmp_path):
    table = customers()
    assert written(tmp_path, table, "charges", "a").task == "regression"
    table["stars"] = RANDOM.integers(1, 6, len(table)).astype(float)
    stars = written(tmp_path, table, "stars", "b")
    assert stars.task == "classification"
    assert set(goes_through(stars)["stars"]) == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize("name", ["new_york", "green_taxi2"])
def test_a_name_in_use_is_refused_and_nothing_is_overwritten(tmp_path, name):
    written(tmp_path, customers(), "churned", name)
    module = tmp_path / "lib" / "datasets" / name / "training.py"
    before = module.read_bytes()
    with pytest.raises(ParameterError, match=f"{name} is there already and is not overwritten"):
        written(tmp_path, customers(50), "charges", name)
    assert module.read_bytes() == before


@pytest.mark.parametrize("name", ["My-Problem", "class", "1st", "_hidden", "a/b"])
def test_a_name_that_no_module_can_have_is_refused(tmp_path, name):
    with pytest.raises(ParameterError, match=f"NAME={name}"):
        written(tmp_path, customers(), "churned", name)
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(
    "column",
    [
        'y"""; import pathlib; pathlib.Path("ran").touch(); """',
        'y"""""";import pathlib; pathlib.Path("ran").touch(); """"""',
        "y'''; import pathlib; pathlib.Path('ran').touch()  # ",
        "cost\\unit",
        "it's {name} {{twice}} %s",
        "two\nlines",
        "a/b",
    ],
)
def test_a_column_s_name_is_data_and_never_becomes_code(tmp_path, monkeypatch, column):
    monkeypatch.chdir(tmp_path)
    numbers = RANDOM.normal(60, 20, (200, 3))
    table = pd.DataFrame(numbers, columns=[column, "x", f"{column} too"]).assign(**{f"{column} name": "DE"})
    dataset = written(tmp_path, table, target=column)
    assert dataset.target.name == column
    assert f"{column} too" in dataset.columns
    goes_through(dataset)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("target", ["price", "kind"])
def test_a_number_that_a_division_by_zero_has_left_is_a_gap(tmp_path, target):
    table = pd.DataFrame({"ratio": RANDOM.random(200), "price": RANDOM.normal(60, 20, 200).round(2)})
    table["kind"] = np.where(table["ratio"] > 0.5, 1.0, 0.0)
    table["written"] = table["price"].astype(str)
    table.loc[::40, ["ratio", "price", "kind"]] = np.inf
    table.loc[1::80, "ratio"], table.loc[5::80, "written"] = -np.inf, " inf"
    dataset = written(tmp_path, table, target)
    assert dataset.task == ("regression" if target == "price" else "classification")
    assert {kinds(dataset)[name] for name in ("ratio", "price", "written")} == {"number"}
    numbers = goes_through(dataset)[["ratio", "price", "written"]]
    assert not np.isinf(numbers).any().any()
    assert numbers.isna().sum().tolist() == [8, 5, 3]
    goes_through(dataset, "generated")


@pytest.mark.parametrize("line", [3, 100])
def test_a_field_as_long_as_a_web_page_is_read(tmp_path, line):
    pages = [f"page {i % 7} on bill {i}" if i != line else "word " * 30_000 for i in range(120)]
    dataset = written(tmp_path, pd.DataFrame({"page": pages, "cost": RANDOM.normal(60, 20, 120)}), "cost")
    assert goes_through(dataset).page.str.len().max() > 131_072


def test_a_name_longer_than_a_file_may_have_is_refused_in_a_line(tmp_path):
    with pytest.raises(ParameterError, match=r"^NAME=n{80}: use small letters.* 60 at most: `churn_2024`.$"):
        written(tmp_path, customers(), target="churned", name="n" * 300)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"DATA=gone\.csv: there is no such file"):
        new_problem("x", "gone.csv", "y", tmp_path)


def test_a_file_below_a_home_that_nobody_knows_is_not_there(tmp_path):
    with pytest.raises(ParameterError, match=r"DATA=~nobody-of-that-name/x\.csv: there is no such file"):
        new_problem("x", "~nobody-of-that-name/x.csv", "y", tmp_path)


def test_a_file_whose_name_is_no_text_is_refused_in_a_line(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    try:
        customers().to_csv(path, index=False)
    except OSError:
        pytest.skip("here every name of a file is UTF-8")
    with pytest.raises(ParameterError, match=r"DATA=.*: the name of the file.* is no UTF-8"):
        new_problem("x", path, "churned", tmp_path)
    assert not (tmp_path / "lib").exists()


def test_an_unknown_target_is_answered_with_the_columns(tmp_path):
    with pytest.raises(
        ParameterError, match=r"TARGET=churn: data.csv has no such column; it has \['customer_id'"
    ):
        written(tmp_path, customers(), "churn")
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(("value", "says"), [("no", "only 'no'"), (None, "only nothing but gaps")])
def test_a_target_that_never_varies_is_refused(tmp_path, value, says):
    with pytest.raises(DataError, match=f"TARGET=churned has {says}"):
        written(tmp_path, customers().assign(churned=value), "churned")


def test_a_target_of_names_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="TARGET=note has 200 different values in 200 rows: names, not classes"
    ):
        written(tmp_path, customers(), "note")


def test_rows_without_a_target_are_refused_by_a_rule_and_counted(tmp_path):
    table = customers()
    table.loc[:39, "churned"] = None
    dataset = written(tmp_path, table, "churned")
    report = dataset.clean(goes_through(dataset)).report
    assert report.loc["churned is known", "refused"] == 40


@pytest.mark.parametrize("mixed", [False, True])
def test_the_split_that_is_written_keeps_the_groups_that_the_user_names(tmp_path, mixed):
    """Ten rows a household; where all of one are of one class, each part has both classes, too."""
    households = np.arange(600) // 10
    table = customers(600).assign(household=[f"house {number}" for number in households])
    table["churned"] = np.where((np.arange(600) if mixed else households) % 7 == 0, "yes", "no")
    written(tmp_path, table, "churned")
    training = tmp_path / "lib/datasets/mine/training.py"
    said = 'DATASET = Dataset(\n    groups=("household",),'
    training.write_text(training.read_text().replace("DATASET = Dataset(", said))
    dataset = importlib.reload(sys.modules["lib.datasets.mine.training"]).DATASET
    dataset = dataset.with_options({"file": str(tmp_path / "data.csv")})
    raw, _ = dataset.ingest("published", 0, 0)
    parts = dataset.split(dataset.clean(dataset.labelled(raw)).rows, 42)
    assert dataset.groups == ("household",)
    assert quality.run([quality.apart(dataset.groups)], parts)["result"].tolist() == ["ok"]
    assert all(set(part["churned"]) == {"yes", "no"} for part in parts.values())


def test_a_class_too_rare_for_three_splits_is_left_out_and_said(tmp_path):
    table = customers()
    table.loc[:2, "churned"] = "perhaps"
    dataset = written(tmp_path, table, "churned")
    goes_through(dataset)
    assert dataset.clean(dataset.ingest("published", 0, 0)[0]).report.loc["8 rows a class", "refused"] == 3


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_found(tmp_path, separator):
    dataset = written(tmp_path, customers(), "churned", sep=separator)
    assert len(dataset.columns) == 7
    goes_through(dataset)


def test_a_decimal_comma_is_a_number(tmp_path):
    dataset = written(tmp_path, customers(), "churned", sep=";", decimal=",")
    assert kinds(dataset)["charges"] == "number"
    assert goes_through(dataset)["charges"].between(-50, 200).all()


def test_text_that_is_not_utf8_is_read(tmp_path):
    dataset = written(tmp_path, customers().to_csv(index=False).encode("cp1252"), "churned")
    assert set(goes_through(dataset)["Straße"]) == {"Ost", "West", "Süd"}


def test_numbers_written_as_text_with_blanks_among_them_are_numbers_with_gaps(tmp_path):
    table = customers()
    table["charges"] = table["charges"].astype(str)
    table.loc[[3, 4], "charges"] = " "
    dataset = written(tmp_path, table, "churned")
    assert goes_through(dataset)["charges"].isna().sum() == 2


@pytest.mark.parametrize(
    "days",
    [
        ["2023-01-31", "2023-02-01 10:00", "2023/03/05"],
        ["31.01.2023", "01.02.2023", "15.03.2023"],
        ["Jan 31, 2023", "1 February 2023", "2023-03-15"],
        ["2023-01-31T10:00:00Z", "2023-02-01T10:00:00+02:00", "2023-03-15T00:00:00Z"],
    ],
)
def test_days_in_several_forms_are_days(tmp_path, days):
    table = customers(201).assign(day=days * 67)
    dataset = written(tmp_path, table, "churned")
    assert kinds(dataset)["day"] == "time"
    read = goes_through(dataset)["day"]
    assert read.notna().all()
    assert set(read.dt.month) == {1, 2, 3}


def test_two_columns_of_one_name_and_two_of_one_content_are_told_apart(tmp_path):
    text = customers().assign(twin=lambda rows: rows["charges"]).to_csv(index=False)
    text = text.replace("country", "charges", 1)
    dataset = written(tmp_path, text, "churned")
    assert "twin" not in dataset.columns
    goes_through(dataset)


def test_a_copy_of_the_target_is_no_feature(tmp_path):
    dataset = written(tmp_path, customers().assign(answer=lambda rows: rows["churned"]), "churned")
    assert "answer" not in dataset.columns
    early = customers()
    early.insert(0, "answer", early["churned"])
    assert "answer" not in written(tmp_path, early, "churned", "other").columns
    recoded = customers().assign(answer=lambda rows: (rows["churned"] == "yes").astype(int))
    assert "answer" not in written(tmp_path, recoded, "churned", "third").columns


def test_five_rows_make_a_problem_that_starts_with_generated_ones(tmp_path):
    dataset = written(tmp_path, customers(5).assign(charges=[1.5, 2, 3, 4, 5]), "charges")
    assert "source: generated" in (tmp_path / "params" / "mine.yaml").read_text()
    goes_through(dataset, "generated")


def test_five_hundred_columns_stay_readable_and_run(tmp_path):
    wide = pd.DataFrame(RANDOM.normal(size=(120, 500)), columns=[f"V{i}" for i in range(500)])
    dataset = written(tmp_path, wide.assign(y=RANDOM.choice(["a", "b"], 120)), "y")
    assert len(dataset.columns) == 501
    goes_through(dataset)


def test_equal_rows_are_kept_apart_by_their_number(tmp_path):
    table = pd.DataFrame(
        {"sex": ["m", "f"] * 100, "class": ["1", "1", "2", "3"] * 50, "died": ["y", "n"] * 100}
    )
    dataset = written(tmp_path, table, "died")
    assert len(dataset.clean(goes_through(dataset)).rows) == 200


def test_a_file_that_is_gone_and_one_that_lost_a_column_are_named(tmp_path):
    dataset = written(tmp_path, customers(), "churned")
    customers().drop(columns="charges").to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(DataError, match=r"data.csv has no column \['charges'\]"):
        dataset.ingest("published", 0, 0)
    (tmp_path / "data.csv").unlink()
    with pytest.raises(SourceError, match=r"There is no file .*data\.csv\. Put it back"):
        dataset.ingest("published", 0, 0)


@pytest.mark.parametrize(
    "content", ["", "a,b\n", "<html><body>Sign in</body></html>", b"PK\x03\x04\0\0binary"]
)
def test_a_file_that_is_no_table_is_refused_and_nothing_is_written(tmp_path, content):
    with pytest.raises((DataError, SourceError, ParameterError)):
        written(tmp_path, content, "b")
    assert not (tmp_path / "lib").exists()


def test_names_with_quotes_braces_and_newlines_survive(tmp_path):
    odd = customers().rename(columns={"charges": 'price "net" {€}\n#1', "tenure (months)": "it's\\here"})
    dataset = written(tmp_path, odd, "churned")
    assert 'price "net" {€}\n#1' in dataset.columns
    goes_through(dataset)


def test_the_separator_that_cuts_all_lines_alike_is_taken(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('a;b\n"1,5";2\n"3,5";4\n"1,0";2\n')
    assert inspection.dialect(path) == (";", ".")
    path.write_text("a;b\n1,5;2\n3,5;4\n")
    assert inspection.dialect(path) == (";", ",")
    path.write_text("one column\nand, sometimes\na comma\n")
    assert inspection.dialect(path) == (",", ".")


def test_codes_with_leading_zeros_stay_codes_also_where_the_user_changes_the_kind(tmp_path):
    codes = ["01234", "02139", "10001"]
    table = customers(201).assign(zip=codes * 67, room=["7", "8", "9"] * 67)
    dataset = written(tmp_path, table, "charges")
    assert kinds(dataset)["zip"] == "category"
    assert set(goes_through(dataset)["zip"]) == set(codes)
    serving = tmp_path / "lib/datasets/mine/serving.py"
    changed = serving.read_text().replace('"room": Column("number"', '"room": Column("category"')
    other = tmp_path / "lib/datasets/other"
    other.mkdir()
    (other / "serving.py").write_text(changed)
    training = (tmp_path / "lib/datasets/mine/training.py").read_text()
    (other / "training.py").write_text(training)
    (other / "__init__.py").write_text("")
    importlib.invalidate_caches()
    rows = importlib.import_module("lib.datasets.other.training").load([tmp_path / "data.csv"])
    assert set(rows["room"]) == {"7", "8", "9"}


@pytest.mark.parametrize("parquet", [False, True])
def test_a_class_called_none_or_na_is_a_class_and_only_an_empty_field_is_missing(tmp_path, parquet):
    table = customers(200).assign(churned=["None", "NA", "Apnea", "None"] * 50)
    table.loc[[0, 1], "churned"] = None
    dataset = written(tmp_path, table, "churned", parquet=parquet)
    counts = goes_through(dataset)["churned"].value_counts().to_dict()
    assert counts == {"None": 99, "NA": 49, "Apnea": 50}
    assert "2 rows have no target" in new_problem("again", dataset.options.file, "churned", tmp_path)


def test_a_word_for_a_gap_is_told_and_stands_in_the_schema(tmp_path):
    table = customers(200).assign(charges=lambda rows: rows["charges"].astype(str))
    table.loc[[3, 4], "charges"], table.loc[5, "Straße"] = "k.A.", "?"
    dataset = written(tmp_path, table, "churned")
    assert goes_through(dataset)["charges"].isna().sum() == 2
    assert dataset.columns["charges"].gaps == ("k.A.",)
    summary = new_problem("again", tmp_path / "data.csv", "churned", tmp_path)
    assert "2 are none and count as missing ('k.A.')" in summary
    assert "'?' (1 rows) counts as a name; if it says that none is known: gaps" in summary


@pytest.mark.parametrize(
    ("days", "order", "first", "told"),
    [
        (["05/02/2020", "25/02/2020", "06/02/2020"], "day", "2020-02-05", ""),
        (["05/02/2020", "02/25/2020", "06/02/2020"], "month", "2020-05-02", ""),
        (["05/02/2020", "06/02/2020", "07/02/2020"], "month", "2020-05-02", "No value tells"),
    ],
)
def test_the_order_of_days_is_fixed_when_the_file_is_first_read(tmp_path, days, order, first, told):
    dataset = written(tmp_path, customers(201).assign(day=days * 67), "churned")
    assert dataset.columns["day"].order == order
    assert told in new_problem("again", tmp_path / "data.csv", "churned", tmp_path)
    few = pd.read_csv(tmp_path / "data.csv", dtype="str").query("day == '05/02/2020'")
    few.to_csv(tmp_path / "data.csv", index=False)  # a later file in which no value tells
    assert set(dataset.ingest("published", 0, 0)[0]["day"]) == {pd.Timestamp(first)}


def test_codes_that_are_whole_numbers_have_one_name_in_any_file(tmp_path):
    table = customers(201).assign(code=[7.0, 8.0, 9.0] * 67, flag=["7", "8", "none"] * 67)
    table["code"] = table["code"].astype(str) + np.where(table.index % 2, "", "0")  # 7.0 and 7.00
    dataset = written(tmp_path, table.assign(code=table["code"].where(table.index > 0)), "code")
    assert dataset.columns["code"].whole is True
    assert set(dataset.ingest("published", 0, 0)[0]["code"].dropna()) == {"7", "8", "9"}
    assert dataset.columns["flag"].whole is None
