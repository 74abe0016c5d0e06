"""Whether two samples are of one distribution: numbers, classes and gaps, judged together."""

from collections.abc import Sequence

import pandas as pd

from lib.errors import DataError, ParameterError
from lib.quality.check import Check, Frames
from lib.wording import few

#: Classes of which fewer rows than this are expected on a side are counted as one: chi-square asks for it.
EXPECTED = 5


def compared(
    reference: pd.DataFrame,
    sample: pd.DataFrame,
    numbers: Sequence[str],
    classes: Sequence[str] = (),
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Two samples column by column: each number, the classes of each name, the gaps of whatever both have.

    One row a comparison, the widest first: `column`, `of` (values, classes, gaps), `statistic`, the share of
    rows that would have to move for the two to be alike (numbers: Kolmogorov-Smirnov's, at the least;
    classes: total variation), `pvalue` (classes and gaps: chi-square), and `same`: all of them together cry
    wolf with probability `alpha` at most. Ties make the Kolmogorov-Smirnov test more lenient, never stricter.
    """
    rows: list[tuple[str, str, float, float]] = []
    there = [name for name in numbers if reference[name].notna().any() and sample[name].notna().any()]
    if there:
        table = ks_same_distribution(reference, sample, there, alpha)
        rows += [(str(name), "values", row["statistic"], row["pvalue"]) for name, row in table.iterrows()]
    for name in classes:
        values = [frame[name].dropna().astype(str) for frame in (reference, sample)]
        rows += [(name, "classes", *found) for found in _chi_square(*values)]
    for name in (name for name in reference if name in sample):
        gaps = [frame[name].isna().astype(str) for frame in (reference, sample)]
        rows += [(name, "gaps", *found) for found in _chi_square(*gaps)]
    table = pd.DataFrame(rows, columns=["column", "of", "statistic", "pvalue"])
    table["same"] = table["pvalue"] >= sidak(alpha, len(table))
    return table.sort_values("statistic", ascending=False, kind="stable", ignore_index=True)


def _chi_square(reference: pd.Series, sample: pd.Series) -> list[tuple[float, float]]:
    """Total variation and p-value of the shares of classes; nothing where there are no two to compare."""
    from scipy import stats  # half a second to import, and most notebooks never compare

    counts = pd.DataFrame({"a": reference.value_counts(), "b": sample.value_counts()}).fillna(0)
    if not len(reference) or not len(sample):
        return []
    smaller = counts.sum().min() / counts.to_numpy().sum()
    both = counts.sum(axis=1).sort_values(ascending=False, kind="stable")
    expected = both * smaller
    kept = counts.loc[expected.index[expected >= EXPECTED]]
    rest = counts.loc[expected.index[expected < EXPECTED]].sum()
    if rest.sum() * smaller >= EXPECTED:
        kept.loc["\0rest"] = rest
    elif len(kept) > 1:
        kept.iloc[-1] += rest
    if len(kept) < 2:
        return []
    shares = kept / kept.sum()
    variation = float((shares["a"] - shares["b"]).abs().sum() / 2)
    return [(variation, float(stats.chi2_contingency(kept).pvalue))]


def read_drift(table: pd.DataFrame, alpha: float) -> str:
    """What a table of `compared` says, in a sentence."""
    if table.empty:
        return "There is nothing to compare."
    moved, widest = table[~table["same"]], table.iloc[0]
    verdict = (
        f"{len(moved)} of {len(table)} comparisons are not as in train (level {alpha:g} over all)."
        if len(moved)
        else f"Nothing has moved (level {alpha:g} over all)."
    )
    size = "small" if widest["statistic"] < 0.05 else "worth a look" if widest["statistic"] < 0.2 else "large"
    size = size if len(moved) else "no more than chance gives for so many rows"
    return (
        f"{verdict} The widest gap, {widest['statistic']:.3f}, is in the {widest['of']} of "
        f"{widest['column']}: at least {widest['statistic']:.1%} of its rows would have to move for the two "
        "to be alike. "
        f"That is {size}."
    )


def same_distribution(numbers: Sequence[str], alpha: float = 0.05, classes: Sequence[str] = ()) -> Check:
    """The first frame against each other one: numbers, classes, and the gaps of all columns (`compared`)."""

    def finds(frames: Frames) -> str:
        (_, reference), *others = frames.items()
        findings = []
        for label, sample in others:
            table = compared(reference, sample, numbers, classes, alpha)
            moved = table[~table["same"]]
            if len(moved):
                gaps = few(
                    (f"{one.of} of {one.column} {one.statistic:.3f}" for one in moved.itertuples()), 10
                )
                findings.append(f"{label}: {len(moved)} of {len(table)} comparisons moved ({gaps})")
        return "; ".join(findings)

    why = (
        f"Kolmogorov-Smirnov and chi-square, level {alpha:g} over all: a moved input is the first sign of a "
        "stale model."
    )
    return Check("rows distributed as in the reference", why, finds)


def same_shares(column: str, limit: float) -> Check:
    """The shares of a column's values against those of the first frame, as `kl_divergence` in bits."""

    def finds(frames: Frames) -> str:
        (_, reference), *others = frames.items()
        bits = {label: kl_divergence(reference[column], sample[column]) for label, sample in others}
        return "; ".join(f"{label}: {value:.3f} bits" for label, value in bits.items() if not value < limit)

    return Check(
        f"{column} distributed as in the reference", f"Kullback-Leibler below {limit:g} bits.", finds
    )


def kl_divergence(reference: pd.Series, sample: pd.Series) -> float:
    """Bits lost when the shares of `sample` are coded with those of `reference`.

    Each class counts half a row more in both, so that one that is absent on a side leaves it finite.
    """
    from scipy import stats  # half a second to import, and most notebooks never compare

    counts = pd.DataFrame({"p": sample.value_counts(), "q": reference.value_counts()}).fillna(0) + 0.5
    return float(stats.entropy(counts["p"], counts["q"], base=2))


def ks_same_distribution(
    reference: pd.DataFrame, sample: pd.DataFrame, columns: Sequence[str], alpha: float = 0.05
) -> pd.DataFrame:
    """Compare two samples column by column (two-sample Kolmogorov-Smirnov test).

    Returns one row a column, widest gap first: `statistic`, the widest gap between the two
    empirical distribution functions (0 same, 1 disjoint), `pvalue`, and `same`, judged at the Šidák level:
    two draws from one source differ on any of the columns with probability `alpha`. Missing values are
    left out. At 10^5 rows a gap of 0.01 is "significant": read `statistic` before `same`.
    """
    from scipy import stats  # half a second to import, and most notebooks never compare

    level = sidak(alpha, len(columns))
    rows = []
    for name in columns:
        for side, frame in (("reference", reference), ("sample", sample)):
            if name not in frame or frame[name].isna().all():
                raise DataError(f"{side} has no values in column {name!r}; it has {list(frame)}")
        result = stats.ks_2samp(reference[name].dropna(), sample[name].dropna())
        rows.append((name, result.statistic, result.pvalue, result.pvalue >= level))
    table = pd.DataFrame(rows, columns=["column", "statistic", "pvalue", "same"])
    return table.set_index("column").sort_values("statistic", ascending=False)


def sidak(alpha: float, tests: int) -> float:
    """The level of each of `tests` that leaves all of them together at `alpha`: 1 - (1 - alpha)^(1/tests)."""
    if not 0 < alpha < 1:
        raise ParameterError(f"alpha is {alpha}; it must lie between 0 and 1.")
    return 1 - (1 - alpha) ** (1 / max(tests, 1))
