"""The encoded rows that a search works on, and what they look like to a reader.

Each setting of the encoders that is searched is fitted once, on the training rows.
"""

import itertools
import time

import numpy as np
import pandas as pd

from lib.errors import ParameterError
from lib.problem import Dataset
from lib.runtime import encoders
from lib.runtime.features import FeatureSet
from lib.tuning.spaces import Point


class Matrices:
    """Encoded training and validation rows, a pair for each setting of the encoders that is searched."""

    def __init__(
        self, dataset: Dataset, features: FeatureSet, train: pd.DataFrame, validation: pd.DataFrame, seed: int
    ) -> None:
        self.y_train = train[dataset.target.name].to_numpy()
        self.y_validation = validation[dataset.target.name].to_numpy()
        self.settings = settings_of(features)
        self.pairs: dict[str, tuple[encoders.Matrix, encoders.Matrix]] = {}
        self.encodings: dict[str, encoders.Encoding] = {}
        start = time.perf_counter()
        groups = dataset.groups
        needed = encoders.Encoding(features.encodes, groups=groups).training_columns
        rows = dataset.engineer(train, [c for c in needed if c in dataset.derived])
        other = dataset.engineer(validation, [c for c in features.columns if c in dataset.derived])
        for key, setting in self.settings.items():
            encoding = encoders.Encoding(features.encodes, setting, random_state=seed, groups=groups)
            self.pairs[key] = encoding.fit_transform(rows, self.y_train), encoding.transform(other)
            self.encodings[key] = encoding
        self.seconds = time.perf_counter() - start

    @property
    def _first(self) -> str:
        return next(iter(self.settings))

    @property
    def encoding(self) -> encoders.Encoding:
        """The encoders of the first setting."""
        return self.encodings[self._first]

    @property
    def dense(self) -> bool:
        """Whether the matrices are dense arrays; else they are sparse."""
        return isinstance(self.pairs[self._first][0], np.ndarray)

    def summary(self) -> str:
        """How large and how full the matrix is, in words."""
        matrix = self.pairs[self._first][0]
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
        matrix, names = self.pairs[self._first][0], self.encoding.get_feature_names_out()
        row = matrix[0] if isinstance(matrix, np.ndarray) else matrix[[0]].toarray()[0]
        filled = np.flatnonzero(row)
        filled = filled[:most] if isinstance(matrix, np.ndarray) else filled[-most:]
        return pd.DataFrame({"as encoded": row[filled].astype(float).round(3)}, index=names[filled])


def settings_of(features: FeatureSet) -> dict[str, Point]:
    """Every combination of the encoder settings that a feature set has searched, by a readable key."""
    searched = features.spaces.get("encoding", {})
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
