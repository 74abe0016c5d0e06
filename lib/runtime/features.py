"""What a model sees of raw rows: derived columns, and the feature sets that send columns through encoders.

A problem's `serving` half fills these in as one `SERVING = Serving(...)`.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from .errors import InferenceError
from .schema import Column, Settings, Target


@dataclass(frozen=True)
class Derived:
    """A stateless column: computed from the columns it `needs` alone, the same in training and serving.

    `compute` gets `Rows`, which answer as a data frame does, of its own: what it changes in them, no other
    column sees.
    """

    needs: tuple[str, ...]
    compute: Callable[[pd.DataFrame], pd.Series | np.ndarray]
    meaning: str = ""
    kind: Literal["number", "category", "text", "time"] = "number"


@dataclass(frozen=True)
class Encode:
    """Columns (raw or derived) that go through one encoder of `encoders`, named `how`, with settings."""

    how: str
    columns: tuple[str, ...]
    settings: Settings = field(default_factory=dict)


def encode(how: str, *columns: str, **settings: Any) -> Encode:
    """`encode("one_hot", "colour")`: one line of a feature set."""
    return Encode(how, columns, settings)


@dataclass(frozen=True)
class FeatureSet:
    """Which column goes through which encoder, and why.

    `admits` names the columns known only *after* the prediction that are used all the same: any other
    such column is refused. `spaces` overrides the search space of a family (plain data, see
    `lib.tuning.spaces`), where these features want another than the family's own.
    """

    name: str
    why: str
    encodes: tuple[Encode, ...]
    admits: tuple[str, ...] = ()
    spaces: Mapping[str, Mapping[str, tuple]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns it encodes, each once, in order."""
        return list(dict.fromkeys(name for part in self.encodes for name in part.columns))


@dataclass(frozen=True)
class Serving:
    """The half of a problem that is stored with a model: all that a prediction needs to know of it."""

    name: str
    task: Literal["regression", "classification"]
    target: Target
    columns: Mapping[str, Column]
    derived: Mapping[str, Derived]
    feature_sets: Mapping[str, FeatureSet]
    renamed: Mapping[str, str] = field(default_factory=dict)  # feature sets of before: old name, today's

    def __deepcopy__(self, _memo: object) -> "Serving":
        """Itself: nothing changes it, and `sklearn.base.clone` copies what an estimator is given."""
        return self

    def feature_set(self, name: str) -> FeatureSet:
        """A feature set by name, refused if it uses what is known only after and does not admit it."""
        if name in self.renamed:
            raise InferenceError(f"{self.name}'s feature set {name!r} is called {self.renamed[name]!r} now.")
        if name not in self.feature_sets:
            known = sorted(self.feature_sets)
            raise InferenceError(f"{self.name} has no feature set {name!r}; it has {known}.")
        feature_set = self.feature_sets[name]
        late = [column for column in self.late(name) if column not in feature_set.admits]
        if late:
            raise InferenceError(
                f"Feature set {name!r} uses {late}, known only after the prediction is made. "
                "Leave them out, or name them in `admits` and say so where the figures are shown."
            )
        return feature_set

    def late(self, name: str) -> list[str]:
        """The raw columns of the feature set `name` that are known only after the prediction is made."""
        return [n for n in self.inputs(self.feature_sets[name]) if self.columns[n].known == "after"]

    def inputs(self, feature_set: FeatureSet) -> list[str]:
        """The raw columns a row must have for `feature_set`, in the order of `columns`."""
        return self.needs(feature_set.columns)

    def needs(self, names: Iterable[str]) -> list[str]:
        """The raw columns that these, raw or derived, are computed from, in the order of `columns`."""
        wanted: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in self.derived:
                queue.extend(self.derived[name].needs)
            elif name in self.columns:
                wanted.add(name)
            else:
                raise InferenceError(f"{self.name} has no column {name!r}, neither raw nor derived.")
        return [name for name in self.columns if name in wanted]

    def engineer(self, rows: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
        """`rows` with the derived columns `names` (all of them by default), each computed once."""
        return self.engineered({name: column.array for name, column in rows.items()}, rows.index, names).frame

    def engineered(
        self, given: Mapping[str, Any], index: pd.Index, names: Sequence[str] | None = None
    ) -> "Rows":
        """The same of columns as arrays, without making a frame of them."""
        rows = Rows(dict(given), index)
        for name in self._ordered(list(given), self.derived if names is None else names):
            rows.arrays[name] = _values(self.derived[name].compute(rows.own()), index)
        return rows

    def _ordered(self, raw: Sequence[str], names: Iterable[str]) -> list[str]:
        """The derived columns to compute for `names`, each after those that it needs."""
        order = dict.fromkeys(raw)

        def visit(name: str) -> None:
            if name in order:
                return
            if name not in self.derived:
                raise InferenceError(f"Column {name!r} is missing; the rows have {list(raw)}.")
            for need in self.derived[name].needs:
                visit(need)
            order[name] = None

        for name in names:
            visit(name)
        return [name for name in order if name not in raw]


class Rows:
    """Arrays by name that answer as a data frame does: one row alone is not worth the making of a frame.

    A column that is asked for by its name is a Series; a frame is made when anything else is asked.
    """

    def __init__(
        self, arrays: dict[str, Any], index: pd.Index, shared: dict[str, pd.Series] | None = None
    ) -> None:
        self.arrays, self.index, self._shared = arrays, index, shared
        self._made: dict[str, pd.Series] = {}
        self._frame: pd.DataFrame | None = None

    def own(self) -> Any:
        """The same for one derived column: what it changes in it, no other sees."""
        return Rows(self.arrays, self.index, self._made)

    @property
    def frame(self) -> pd.DataFrame:
        """The columns so far as a data frame."""
        if self._frame is None:
            self._behind = _frame(self.arrays, self.index)  # kept, so that pandas copies what is written to
            self._frame = self._behind.copy(deep=False)
        return self._frame

    def array(self, name: str) -> np.ndarray:
        """A column without its index, to be read only: the quickest that there is."""
        values = np.asarray(self.arrays[name] if self._frame is None else self._frame[name]).view()
        values.flags.writeable = False
        return values

    def __getitem__(self, name: Any) -> Any:
        if self._frame is not None or not isinstance(name, str) or name not in self.arrays:
            return self.frame[name]
        made = self._made if self._shared is None else self._shared
        if name not in made:
            made[name] = pd.Series(self.arrays[name], self.index, name=name, copy=False)
        return made[name] if self._shared is None else made[name].copy(deep=False)

    def __setitem__(self, name: Any, values: object) -> None:
        self.frame[name] = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.frame, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame)

    def __contains__(self, name: object) -> bool:
        return name in self.frame

    def __len__(self) -> int:
        return len(self.index)


def _frame(columns: Mapping[str, object], index: pd.Index) -> pd.DataFrame:
    """A frame of arrays; labels and their hash table are made once, not for every row that comes alone."""
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=index, copy=False)
    frame.columns = _labels(tuple(columns))
    return frame


@functools.lru_cache(maxsize=256)
def _labels(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


def _values(column: pd.Series | np.ndarray, index: pd.Index) -> object:
    """A computed column as an array in the order of `index`."""
    if not isinstance(column, pd.Series):
        return column
    return (column if column.index.equals(index) else column.reindex(index)).array
