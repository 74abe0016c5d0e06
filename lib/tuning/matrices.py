"""The encoded rows that a search works on, and what they look like to a reader.

Each setting of the encoders that is searched is fitted once, on the rows that learn; in a search by folds
once a fold.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib import splits
from lib.errors import ParameterError
from lib.problem import Dataset
from lib.runtime import encoders
from lib.runtime.features import FeatureSet
from lib.runtime.schema import Settings
from lib.tuning.plan import Plan
from lib.tuning.spaces import Point


@dataclass(frozen=True)
class Split:
    """Rows that learn and rows that score, encoded, and their targets."""

    train: encoders.Matrix
    y_train: np.ndarray
    validation: encoders.Matrix
    y_validation: np.ndarray


class Matrices:
    """Encoded rows for each setting of the encoders that is searched: one split, or one a fold."""

    def __init__(
        self,
        dataset: Dataset,
        features: FeatureSet,
        train: pd.DataFrame,
        validation: pd.DataFrame,
        plan: Plan,
    ) -> None:
        self.settings = settings_of(plan.given.encoders(features.spaces.get("encoding", {})))
        self.splits: dict[str, list[Split]] = {key: [] for key in self.settings}
        self.encodings: dict[str, encoders.Encoding] = {}
        start, target, groups = time.perf_counter(), dataset.target.name, dataset.groups
        needed = encoders.Encoding(features.encodes, groups=groups).training_columns
        for one, other in folds(dataset, train, validation, plan) if plan.folds else [(train, validation)]:
            rows = dataset.engineer(one, [c for c in needed if c in dataset.derived])
            scored = dataset.engineer(other, [c for c in features.columns if c in dataset.derived])
            y, y_scored = one[target].to_numpy(), other[target].to_numpy()
            for key, setting in self.settings.items():
                encoding = encoders.Encoding(features.encodes, setting, random_state=plan.seed, groups=groups)
                encoded = encoding.fit_transform(rows, y)
                self.splits[key].append(Split(encoded, y, encoding.transform(scored), y_scored))
                self.encodings.setdefault(key, encoding)
        self.seconds = time.perf_counter() - start

    @property
    def _first(self) -> str:
        return next(iter(self.settings))

    @property
    def _matrix(self) -> encoders.Matrix:
        return self.splits[self._first][0].train

    @property
    def encoding(self) -> encoders.Encoding:
        """The encoders of the first setting."""
        return self.encodings[self._first]

    @property
    def dense(self) -> bool:
        """Whether the matrices are dense arrays; else they are sparse."""
        return isinstance(self._matrix, np.ndarray)

    def summary(self) -> str:
        """How large and how full the matrix is, in words."""
        matrix = self._matrix
        rows, columns = matrix.shape
        many = f", fitted once for each of {len(self.settings)} settings," if len(self.settings) > 1 else ","
        if isinstance(matrix, np.ndarray):
            stored = f"a dense table of 32-bit numbers, {matrix.nbytes / 1e6:.1f} MB"
        else:
            share = matrix.nnz / (rows * columns)
            size = (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / 1e6
            stored = f"{share:.2%} of it not zero, so only those are stored: {size:.1f} MB"
        return (
            f"The training rows became a matrix of **{rows:,} × {columns:,}**{many} {stored}. "
            f"Encoding these and the validation rows took {self.seconds:.2f} s."
        )

    def one_row(self, most: int = 12) -> pd.DataFrame:
        """The first training row as a model sees it: at most `most` of its columns that are not zero."""
        matrix, names = self._matrix, self.encoding.get_feature_names_out()
        row = matrix[0] if isinstance(matrix, np.ndarray) else matrix[[0]].toarray()[0]
        filled = np.flatnonzero(row)
        filled = filled[:most] if isinstance(matrix, np.ndarray) else filled[-most:]
        return pd.DataFrame({"as encoded": row[filled].astype(float).round(3)}, index=names[filled])


def folds(
    dataset: Dataset, train: pd.DataFrame, validation: pd.DataFrame, plan: Plan
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Training and validation rows together in `plan.folds` parts, each scoring once: the others, the part.

    Rows of one group, or of one day, are in one part; classes are shared out evenly where there are no
    groups.
    """
    rows = pd.concat([train, validation], ignore_index=True)
    blocks = dataset.blocks(rows)
    by = dataset.target.name if dataset.task == "classification" and blocks is None else None
    units = rows if blocks is None else blocks.to_frame()
    for learning, scoring in splits.folds(units, plan.folds, plan.seed, by):
        yield rows.iloc[learning], rows.iloc[scoring]


def settings_of(searched: Settings) -> dict[str, Point]:
    """Every combination of the encoder settings that are searched, by a readable key."""
    for name, spec in searched.items():
        if spec[0] != "choice":
            raise ParameterError(
                f"The encoder setting {name!r} is searched over {spec[0]!r}; use ('choice', [...])."
            )
    names = list(searched)
    combinations = [
        dict(zip(names, point, strict=True)) for point in itertools.product(*(searched[n][1] for n in names))
    ]
    return {", ".join(f"{k}={v}" for k, v in point.items()) or "as declared": point for point in combinations}
