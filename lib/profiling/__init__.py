"""What rows are like, as tables: percentiles, missing and frequent values, what goes with the target.

The pictures of these tables are in `lib.plots.data`, what must hold of the rows in `lib.quality`; how much a
column tells of the target is measured in `association`.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import dependencies, display
from lib.problem import Dataset, Provenance, Words
from lib.profiling import association

if TYPE_CHECKING:
    from IPython.display import Markdown

PERCENTILES = (1, 5, 50, 95, 98, 99)
MOST = 20  # columns that a picture shows


def about(dataset: Dataset) -> "Markdown":
    """The problem in a paragraph: the question, the target, the metric, where the data come from."""
    unit = f", in {dataset.target.unit}" if dataset.target.unit else ""
    return display.markdown(
        f"**{dataset.title}**\n\n{dataset.description}\n\n- Task: {dataset.task}; target "
        f"`{dataset.target.name}`: {dataset.target.meaning}{unit}.\n- Metric that models are chosen by: "
        f"`{dataset.metric}`.\n- Source: {dataset.source}. Licence: {dataset.licence}."
    )


def origin(provenance: Provenance, cautions: Sequence[str] = ()) -> "Markdown":
    """Where the rows come from, a mirror by the page that read it, after the `cautions` that go with them."""
    minded = "".join(f"**Mind:** {one}\n\n" for one in cautions)
    if provenance["generated"]:
        return display.markdown(
            f"{minded}**Generated data.** These {provenance['rows']:,} rows were drawn by the "
            f"problem's generator (seed {provenance['seed']}): lookalikes to learn and to test with. No "
            "figure made from them says anything about the world."
        )
    mirrored = {one["digest"]: one["name"] for one in dependencies.taken() if one["kind"] == "mirror"}
    lines = [f"{minded}**Published data**: {provenance['rows']:,} rows.\n"]
    for file in provenance["files"]:
        rows = "" if file["rows"] is None else f"{file['rows']:,} rows, "
        where = f", published at {file['url']}" if "://" in file["url"] else ""
        if file["sha256"] in mirrored:
            where += f", read from the mirror: {mirrored[file['sha256']]}"
        size = f"{rows}{file['bytes']:,} bytes"
        lines.append(f"- **{file['name']}**: {size}, sha256 `{file['sha256'][:16]}…`{where}")
    return display.markdown("\n".join(lines))


def dictionary(dataset: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a raw column: kind, meaning, unit, when it is known, and a value of these rows."""
    table = {
        name: {
            "known": column.known,
            "kind": column.kind,
            "meaning": column.meaning,
            "unit": column.unit,
            "example": _text(next(iter(rows[name].dropna()), "")),
        }
        for name, column in dataset.columns.items()
    }
    return pd.DataFrame(table).T.sort_values("known", ascending=False, kind="stable").rename_axis("column")


def meanings(dataset: Dataset) -> pd.DataFrame:
    """One row a column, raw or derived: its meaning and unit, what it is made of, and when it is known."""
    raw = {name: (column.meaning, column.unit, "") for name, column in dataset.columns.items()}
    made = {name: (column.meaning, "", ", ".join(column.needs)) for name, column in dataset.derived.items()}
    table = pd.DataFrame({**raw, **made}, index=["meaning", "unit", "made of"]).T.rename_axis("column")
    return table.assign(known=[known(dataset, name) for name in table.index])


def refused(dataset: Dataset, rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The rows that the rules refuse, shuffled, with the target and the rule that was the first to refuse."""
    left, parts = dataset.labelled(rows), []
    column = next(name for name in ("rule", "cleaning rule") if name not in left)
    for rule in dataset.rules():
        keeps = rule.keeps(left).to_numpy(dtype=bool)
        parts.append(left[~keeps].assign(**{column: rule.name}))
        left = left[keeps]
    table = pd.concat(parts) if parts else left.iloc[:0].assign(**{column: ""})
    first = [column, dataset.target.name]
    return table[[*first, *(name for name in rows if name not in first)]].sample(frac=1, random_state=seed)


def comparable(dataset: Dataset, rows: pd.DataFrame, other: pd.DataFrame | None = None) -> list[str]:
    """The numbers that samples can be compared with `rows` by: raw ones that vary, and a target, if a number.

    With `other`, only those that have values there.
    """
    other = rows if other is None else other
    names = [name for name in dataset.of_kind("number") if name in rows and other[name].notna().any()]
    if dataset.task == "regression":
        names = list(dict.fromkeys([dataset.target.name, *names]))
    return [name for name in names if rows[name].max() > rows[name].min()]


def classes(dataset: Dataset, parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """The columns of names that parts can be compared by: not what rows are split by, nor their groups."""
    frames = list(parts.values())
    names = [n for n in dataset.of_kind("category", "id") if n in frames[0] and n not in dataset.groups]
    if dataset.task == "classification":
        names = list(dict.fromkeys([dataset.target.name, *names]))
    values = {name: [set(frame[name].dropna()) for frame in frames] for name in names}
    split_by = {n for n, sets in values.items() if sum(map(len, sets)) == len(set.union(*sets))}
    return [name for name in names if name not in split_by and len(values[name][0]) > 1]


def newness(dataset: Dataset, ways: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """For each way to split, a line a named thing: what of it is new in test, and what it tells there.

    `share new` is of test rows with a value that train has not seen, `share told` of the variance of their
    target that the means of the values in train tell. Columns of which all is seen either way are left out,
    but for one.
    """
    derived = [name for name, column in dataset.derived.items() if column.kind == "category"]
    table: dict[str, dict[str, float]] = {}
    for way, parts in ways.items():
        both = pd.concat([parts["train"], parts["test"]], ignore_index=True)
        rows = dataset.engineer(both, derived)
        wanted = association.as_numbers(both[dataset.target.name])
        taught, seen = np.arange(len(rows)) < len(parts["train"]), set()
        new, tell = table.setdefault(f"share new, {way}", {}), table.setdefault(f"share told, {way}", {})
        for name in (*dataset.of_kind("category", "id"), *derived):
            codes = rows[name].factorize(use_na_sentinel=False)[0]
            if name != dataset.target.name and (mark := codes.tobytes()) not in seen:
                seen.add(mark)
                new[name] = float((~np.isin(codes[~taught], codes[taught])).mean())
                tell[name] = association.share(association.missed(codes, wanted, taught, ~taught))
    frame = pd.DataFrame(table).rename_axis("column").dropna().sort_values(list(table), ascending=False)
    unseen = (frame.filter(like="share new") > 0).any(axis=1)
    return frame[unseen | (frame.index == frame.index[-1])] if len(frame) else frame


def read_newness(table: pd.DataFrame, rows: int, words: Words) -> str:
    """Whether the shuffle, the second way of `newness`, flatters: tells more of its `rows` test rows.

    A difference counts beyond three standard errors (of a squared correlation) and a hundredth.
    """
    if table.empty:
        return "There is no named thing that could be new."
    honest, shuffled = (table[name] for name in table if name.startswith("share told"))
    spread = sum((4 * share * (1 - share) ** 2 / rows for share in (honest, shuffled)), 0.0) ** 0.5
    gap = shuffled - honest
    beyond = gap.abs() - 3 * spread - 0.01 - 20 / rows
    name = beyond.idxmax()
    if beyond[name] <= 0:
        return (
            "Here a shuffle does not flatter: no named thing tells more of test, beyond chance, whichever "
            f"way the {words.rows} are split."
        )
    told = f"{shuffled[name]:.0%} of {words.target} on test if shuffled, {honest[name]:.0%} as split above"
    said = f"{name} tells {told}"
    if gap[name] > 0:
        return f"**Here a shuffle flatters**: {said}. A model would look better than it will be in use."
    return f"Here a shuffle does the opposite of flattering: {said}."


def read_doubles(dataset: Dataset, raw: pd.DataFrame, clean: pd.DataFrame) -> str:
    """How many rows repeat an earlier one in every column, and whether a rule of the problem refuses such."""
    words, (before, after) = dataset.words, (int(rows.duplicated().sum()) for rows in (raw, clean))
    one = clean.head(1)
    asked = len(one) > 0 and len(dataset.clean(pd.concat([one, one], ignore_index=True)).rows) == 1
    if not before:
        return f"No {words.row} is there twice, alike in every column."
    share = before / len(raw)
    text = f"{before:,} of {len(raw):,} {words.rows} ({share:.1%}) repeat an earlier one in every column. "
    if asked:
        return f"{text}A rule asks about such doubles: {after:,} are left."
    return (
        f"{text}**No rule asks about them**: {after:,} are left, which weigh double in what a model learns "
        "and in how it is scored. Are they true, or was something copied?"
    )


def target(dataset: Dataset, samples: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The target of each sample: percentiles of a number, in its unit, or rows and share of each class."""
    name, unit = dataset.target.name, dataset.target.unit
    values = {sample: rows[name] for sample, rows in samples.items()}
    if dataset.task == "classification":
        return counts(values)
    return percentiles(values).rename_axis(f"{name}, {unit}" if unit else name)


def percentiles(samples: Mapping[str, pd.Series], at: Sequence[float] = PERCENTILES) -> pd.DataFrame:
    """One row a sample: rows, mean, smallest, the percentiles `at`, largest."""
    table = {}
    for name, values in samples.items():
        row = {"rows": len(values), "mean": values.mean(), "least": values.min()}
        row |= {f"{p:g} %": np.nanpercentile(values, p) if len(values) else np.nan for p in at}
        table[name] = row | {"most": values.max()}
    return pd.DataFrame(table).T.astype({"rows": int})


def counts(samples: Mapping[str, pd.Series]) -> pd.DataFrame:
    """One row a class: its rows in each sample, and its share of the last one; the most frequent first."""
    table = pd.DataFrame({name: values.value_counts() for name, values in samples.items()}).fillna(0)
    table = table.astype(int).sort_values(list(table)[-1], ascending=False)
    return table.assign(share=table.iloc[:, -1] / max(table.iloc[:, -1].sum(), 1))


def missing(rows: pd.DataFrame) -> pd.Series:
    """The share of missing values of each column that has any, the largest first."""
    share = rows.isna().mean().sort_values(ascending=False)
    return share[share > 0]


def uniques(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a column: different values, the most frequent one, and the share of the rows that have it."""
    table = {}
    for name in rows:
        counts = rows[name].value_counts()
        top = counts.index[0] if len(counts) else None
        share = counts.iloc[0] / len(rows) if len(counts) else 0.0
        table[name] = {"unique": len(counts), "most frequent": _text(top), "share": share}
    return pd.DataFrame(table).T.astype({"unique": int, "share": float})


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:40]


def with_target(dataset: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a column, raw or derived: the share of the target that it tells of rows held out, when `known`.

    Held out are whole days or groups, where there are such. Of columns that cut the rows into the same
    groups, only the first one is there.
    """
    target, table, seen = association.as_numbers(rows[dataset.target.name]), [], set()
    fold = association.held_out(len(rows), dataset.blocks(rows))
    for name in candidates(dataset, rows):
        codes = association.groups(rows[name], kind(dataset, name))
        if (mark := codes.factorize()[0].tobytes()) not in seen:
            seen.add(mark)
            table.append((name, association.told(codes, target, fold), known(dataset, name)))
    frame = pd.DataFrame(table, columns=["column", "explained", "known"]).set_index("column")
    return frame.sort_values("explained", ascending=False)


def foremost(dataset: Dataset, rows: pd.DataFrame, names: Sequence[str], most: int = MOST) -> list[str]:
    """Of more than `most` columns, those that explain most of the target, in the order of `names`."""
    if len(names) <= most:
        return list(names)
    rows = rows[rows[dataset.target.name].notna()]
    target = association.as_numbers(rows[dataset.target.name])
    fold = association.held_out(len(rows), dataset.blocks(rows))
    shares = {
        name: association.told(association.groups(rows[name], kind(dataset, name)), target, fold)
        for name in names
    }
    first = set(sorted(shares, key=shares.__getitem__, reverse=True)[:most])
    return [name for name in names if name in first]


def candidates(dataset: Dataset, rows: pd.DataFrame) -> list[str]:
    """Columns that may be compared with the target: all but itself, times, texts, constants, name tags."""
    raw = [name for name in dataset.of_kind("number", "category", "id") if name != dataset.target.name]
    derived = [name for name, column in dataset.derived.items() if column.kind in ("number", "category")]
    return [
        name for name in (*raw, *derived) if name in rows and _comes_again(rows[name], kind(dataset, name))
    ]


def _comes_again(values: pd.Series, kind: str) -> bool:
    """Whether a column varies and, if it is of names, any comes twice: a name tag tells nothing."""
    return 1 < values.nunique() < (np.inf if kind == "number" else values.count())


def kind(dataset: Dataset, name: str) -> str:
    """What a raw or a derived column is: number, category, id, text, time."""
    return (dataset.columns if name in dataset.columns else dataset.derived)[name].kind


def known(dataset: Dataset, name: str) -> str:
    """Whether a raw column, or all that a derived one is computed from, is known `before` or only `after`."""
    if name in dataset.columns:
        return dataset.columns[name].known
    return "after" if "after" in {known(dataset, need) for need in dataset.derived[name].needs} else "before"


def farthest(table: pd.DataFrame) -> tuple[Hashable, Hashable]:
    """The line and the column of a table's largest value."""
    line, column = np.unravel_index(np.nanargmax(table.to_numpy(dtype=float)), table.shape)
    return table.index[line], table.columns[column]


def summary(dataset: Dataset, raw: pd.DataFrame, clean: pd.DataFrame) -> dict[str, object]:
    """What the eda step keeps: the target before and after cleaning, missing values, unique counts."""
    described = target(dataset, {"as it came": raw, "after the rules": clean})
    return {
        "rows": {"raw": len(raw), "clean": len(clean)},
        "target": described.to_dict("index"),
        "missing": missing(raw).to_dict(),
        "unique": uniques(raw)["unique"].to_dict(),
    }
