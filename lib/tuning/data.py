"""The encoded rows that a search works on, and what they look like to a reader.

Each setting of the encoders that is searched is fitted once, on the training rows.
"""

import itertools
import time
from typing import Any

import numpy as np
import pandas as pd

from lib import features
from lib.errors import ParameterError


class Data:
    """Encoded rows: each setting of the encoders that is searched is fitted once, on the training rows."""

    def __init__(
        self, dataset: Any, feature_set: Any, train: pd.DataFrame, validation: pd.DataFrame, seed: int
    ):
        self.y_train = train[dataset.target.name].to_numpy()
        self.y_validation = validation[dataset.target.name].to_numpy()
        self.settings = settings_of(feature_set)
        self.matrices, self.encodings = {}, {}
        start = time.perf_counter()
        wanted = features.Encoding(feature_set.encodes).training_columns
        rows = dataset.engineer(train, [c for c in wanted if c in dataset.derived])
        other = dataset.engineer(validation, [c for c in feature_set.columns if c in dataset.derived])
        for key, setting in self.settings.items():
            encoding = features.Encoding(feature_set.encodes, setting)
            self.matrices[key] = encoding.fit_transform(rows, self.y_train, seed), encoding.transform(other)
            self.encodings[key] = encoding
        self.seconds = time.perf_counter() - start

    @property
    def first(self) -> str:
        """The first of the settings."""
        return next(iter(self.settings))

    def summary(self) -> str:
        """How large and how full the matrix is, in words."""
        matrix = self.matrices[self.first][0]
        rows, columns = matrix.shape
        many = f", fitted once for each of {len(self.settings)} settings," if len(self.settings) > 1 else ","
        if isinstance(matrix, np.ndarray):
            kept = f"a dense table of 32-bit numbers, {matrix.nbytes / 1e6:.1f} MB"
        else:
            share = matrix.nnz / (rows * columns)
            size = (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / 1e6
            kept = f"{share:.2%} of it not zero, so only those are kept: {size:.1f} MB"
        return (
            f"The training rows became a matrix of **{rows:,} × {columns:,}**{many} {kept}. "
            f"Encoding these and the validation rows took {self.seconds:.2f} s."
        )

    def one_row(self, most: int = 12) -> pd.DataFrame:
        """The first training row as a model sees it: at most `most` of its columns that are not zero."""
        matrix, names = self.matrices[self.first][0], np.array(self.encodings[self.first].names)
        row = matrix[0] if isinstance(matrix, np.ndarray) else matrix[[0]].toarray()[0]
        there = np.flatnonzero(row)
        there = there[:most] if isinstance(matrix, np.ndarray) else there[-most:]
        return pd.DataFrame({"as encoded": row[there].astype(float).round(3)}, index=names[there])


def settings_of(feature_set: Any) -> dict[str, dict[str, Any]]:
    """Every combination of the encoder settings that a feature set has searched, by a readable key."""
    searched = feature_set.spaces.get("encoding", {})
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
