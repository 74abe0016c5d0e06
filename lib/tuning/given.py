"""What is set or searched in place of the families' own: the parameters `fixed` and `space` of a search.

How they are written, and which are refused, is in `lib.notebook_source.hyperparameters`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lib.errors import ParameterError
from lib.notebook_source import hyperparameters as written
from lib.notebook_source.annotations import Misfit
from lib.runtime.schema import Settings
from lib.tuning.hyperparameters import TABLE
from lib.tuning.spaces import Point, Space, Value


class Given:
    """`fixed` and `space`, checked for the `families` of a search; `always` is set beside them."""

    def __init__(
        self,
        families: Sequence[str],
        fixed: Settings,
        space: Settings,
        always: Mapping[str, Point] = MappingProxyType({}),
    ) -> None:
        for name, given in (("fixed", fixed), ("space", space)):
            try:
                written.check(name, given, TABLE, families)
            except Misfit as error:
                raise ParameterError(f"{name} must be {error}.") from None
        self._fixed = list(written.parts(fixed, TABLE))
        self._space = [(f, n, written.distribution(value)) for f, n, value in written.parts(space, TABLE)]
        self._replaced, self._always = set(space) & set(TABLE), always

    def fixed(self, family: str) -> Point:
        """The hyperparameters that are set in `family`; what is set for it alone goes before."""
        return {**_of(self._fixed, family), **self._always.get(family, {})}

    def space(self, family: str, own: Space) -> Space:
        """What is searched in `family`: its `own` space, or what was given for it, without what is set."""
        found = {**({} if family in self._replaced else own), **_of(self._space, family)}
        return {name: spec for name, spec in found.items() if name not in self.fixed(family)}

    def encoders(self, own: Settings) -> dict[str, Value]:
        """The same of the settings of the encoders, each a list of choices."""
        found = dict(own) | {name: spec for _, name, spec in self._space if "." in name}
        return found | {name: ("choice", [value]) for _, name, value in self._fixed if "." in name}


def _of(given: Sequence[written.Given], family: str) -> dict[str, Value]:
    """What of it `family` has: first what is for all, then what is for it alone."""
    return {
        name: value
        for one in ("", family)
        for place, name, value in given
        if place == one and name in TABLE[family]
    }
