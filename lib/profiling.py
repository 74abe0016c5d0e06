"""What rows are like, as tables: percentiles, missing and frequent values, what goes with the target.

The pictures of these tables are in `lib.plots.data`, what must hold of the rows in `lib.quality`.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import dependencies, display
from lib.problem import Dataset, Provenance

if TYPE_CHECKING:
    from IPython.display import Markdown

PERCENTILES = (1, 5, 50, 95, 98, 99)
BINS = 20  # equal parts that a number is cut into where it is compared with the target
MOST = 20  # columns that a picture shows


def about(dataset: Dataset) -> "Markdown":
    """The problem in a paragraph: the question, the target, the metric, where the data come from."""
    unit = f", in {dataset.target.unit}" if dataset.target.unit else ""
    return display.markdown(
        f"**{dataset.title}**\n\n{dataset.description}\n\n- Task: {dataset.task}; target "
        f"`{dataset.target.name}`: {dataset.target.meaning}{unit}.\n- Metric that models are chosen by: "
        f"`{dataset.metric}`.\n- Source: {dataset.source}. Licence: {dataset.licence}."
    )


def origin(provenance: Provenance) -> "Markdown":
    """Where the rows come from, said aloud where they were generated; a mirror by the page that read it."""
    if provenance["generated"]:
        return display.markdown(
            f"**Generated data.** These {provenance['rows']:,} rows were drawn by the problem's generator "
            f"(seed {provenance['seed']}): lookalikes to learn and to test with. No figure made from them "
            "says anything about the world."
        )
    mirrored = {one["digest"]: one["name"] for one in dependencies.taken() if one["kind"] == "mirror"}
    lines = [f"**Published data**: {provenance['rows']:,} rows.\n"]
    for file in provenance["files"]:
        rows = "" if file["rows"] is None else f"{file['rows']:,} rows, "
        where = f", published at {file['url']}" if "://" in file["url"] else ""
        if file["sha256"] in mirrored:
            where += f", read from the mirror: {mirrored[file['sha256']]}"
        digest = f"sha256 `{file['sha256'][:16]}…`"
        lines.append(f"- **{file['name']}**: {rows}{file['bytes']:,} bytes, {digest}{where}")
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


def refused(dataset: Dataset, rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The rows that the rules refuse, shuffled, with the target and the rule that was the first to refuse."""
    left, parts = dataset.labelled(rows), []
    for rule in dataset.rules():
        keeps = rule.keeps(left).to_numpy(dtype=bool)
        parts.append(left[~keeps].assign(rule=rule.name))
        left = left[keeps]
    table = pd.concat(parts) if parts else left.iloc[:0].assign(rule="")
    first = ["rule", dataset.target.name]
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


def newness(dataset: Dataset, ways: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """For each way to split, the share of test rows with a value of a named thing that train has not seen.

    Columns of which all is seen either way are left out, but for one.
    """
    derived = [name for name, column in dataset.derived.items() if column.kind == "category"]
    table: dict[str, dict[str, float]] = {}
    for way, parts in ways.items():
        both = pd.concat([parts["train"], parts["test"]], ignore_index=True)
        rows = dataset.engineer(both, derived)
        taught, seen = np.arange(len(rows)) < len(parts["train"]), set()
        table[f"share new, {way}"] = shares = {}
        for name in (*dataset.of_kind("category", "id"), *derived):
            codes = rows[name].factorize()[0]
            if name != dataset.target.name and (mark := codes.tobytes()) not in seen:
                seen.add(mark)
                shares[name] = float((~np.isin(codes[~taught], codes[taught])).mean())
    frame = pd.DataFrame(table).rename_axis("column").dropna().sort_values(list(table), ascending=False)
    return frame[(frame > 0).any(axis=1) | (frame.index == frame.index[-1])] if len(frame) else frame


def target(dataset: Dataset, samples: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The target of each sample: rows and percentiles of a number, rows and share of each class."""
    described = percentiles if dataset.task == "regression" else counts
    return described({name: rows[dataset.target.name] for name, rows in samples.items()})


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


def groups(values: pd.Series, kind: str = "number") -> pd.Series:
    """A number cut at its quantiles into `BINS` parts (missing: one more), anything else as it is."""
    if kind == "number" and pd.api.types.is_numeric_dtype(values) and values.nunique() > BINS:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        gaps = np.isnan(numbers)
        edges = np.unique(np.quantile(numbers[~gaps], np.linspace(0, 1, BINS + 1)))
        codes = np.maximum(np.searchsorted(edges, numbers), 1) - 1  # as `pd.qcut` does, but ten times quicker
        return pd.Series(np.where(gaps, -1, codes), index=values.index)
    return pd.Series(values.factorize(use_na_sentinel=False)[0], index=values.index)


def explained(values: pd.Series, target: pd.Series, kind: str = "number") -> float:
    """The share of the target's variance that lies between the groups of a column, from 0 to 1.

    Corrected for the number of groups (epsilon squared), so that a column of names does not win by
    having many. For classes the variance is Gini's, which makes it Goodman and Kruskal's tau.
    """
    return _between(groups(values, kind).factorize()[0], _as_numbers(target))


def _as_numbers(target: pd.Series) -> np.ndarray:
    """A number as one column, of classes a column of 0 and 1 each."""
    if _is_number(target):
        return target.to_numpy(dtype=float)[:, None]
    return pd.get_dummies(target).to_numpy(float)


def _between(codes: np.ndarray, wanted: np.ndarray) -> float:
    """The share of the target's variance between the groups numbered by `codes`, see `explained`."""
    rows, kinds = len(codes), codes.max() + 1
    total = ((wanted - wanted.mean(axis=0)) ** 2).sum()
    if rows <= kinds or not total:
        return 0.0
    sizes = np.bincount(codes)
    means = np.stack([np.bincount(codes, weights=column) for column in wanted.T], axis=1) / sizes[:, None]
    within = ((wanted - means[codes]) ** 2).sum()
    return float(max(0.0, 1 - within / total * (rows - 1) / (rows - kinds)))


def with_target(dataset: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a column, raw or derived: the share of the target that it explains, and when it is `known`.

    Of columns that cut the rows into the same groups, only the first one is there.
    """
    target, table, seen = _as_numbers(rows[dataset.target.name]), [], set()
    for name in candidates(dataset, rows):
        codes = groups(rows[name], kind(dataset, name)).factorize()[0]
        if (mark := codes.tobytes()) not in seen:
            seen.add(mark)
            table.append((name, _between(codes, target), known(dataset, name)))
    frame = pd.DataFrame(table, columns=["column", "explained", "known"]).set_index("column")
    return frame.sort_values("explained", ascending=False)


def foremost(dataset: Dataset, rows: pd.DataFrame, names: Sequence[str], most: int = MOST) -> list[str]:
    """Of more than `most` columns, those that explain most of the target, in the order of `names`."""
    if len(names) <= most:
        return list(names)
    rows = rows[rows[dataset.target.name].notna()]
    target = _as_numbers(rows[dataset.target.name])
    told = {name: _between(groups(rows[name], kind(dataset, name)).factorize()[0], target) for name in names}
    first = set(sorted(told, key=told.__getitem__, reverse=True)[:most])
    return [name for name in names if name in first]


def candidates(dataset: Dataset, rows: pd.DataFrame) -> list[str]:
    """Columns that may be compared with the target: all but itself, times, texts and constants."""
    raw = [name for name in dataset.of_kind("number", "category", "id") if name != dataset.target.name]
    derived = [name for name, column in dataset.derived.items() if column.kind in ("number", "category")]
    return [name for name in (*raw, *derived) if name in rows and _repeats(rows[name], kind(dataset, name))]


def _repeats(values: pd.Series, kind: str) -> bool:
    """Whether a column varies, and its names, if it is of names, come often enough to be compared."""
    if kind == "number":
        return bool(values.max() > values.min())
    counted = np.bincount(values.factorize()[0] + 1)[1:]
    return len(counted) > 1 and counted[counted >= 5].sum() > 0.4 * len(values)


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


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def summary(dataset: Dataset, raw: pd.DataFrame, clean: pd.DataFrame) -> dict[str, object]:
    """What the eda step keeps: the target before and after cleaning, missing values, unique counts."""
    described = target(dataset, {"as it came": raw, "after the rules": clean})
    return {
        "rows": {"raw": len(raw), "clean": len(clean)},
        "target": described.to_dict("index"),
        "missing": missing(raw).to_dict(),
        "unique": uniques(raw)["unique"].to_dict(),
    }
