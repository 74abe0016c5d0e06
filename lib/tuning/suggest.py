"""What to try next: which family, by how the families did so far, and which parameters, by TPE.

Both look only at results that were observed, in the order of submission, so the trials do not depend on
which worker was faster.
"""

import itertools
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lib.tuning import spaces

if TYPE_CHECKING:
    from hyperopt.base import Domain, Trials

#: Trials that every family gets before the families are compared.
FAIR = 3


class FamilySearch:
    """TPE over one family's space; the first point is the family's own first guess."""

    def __init__(self, family: str, space: spaces.Space, seed: int, random_trials: int) -> None:
        self.family, self.space, self.seed = family, space, seed + zlib.crc32(family.encode()) % 10_000
        self.random_trials, self.suggested = random_trials, 0
        self._tpe: tuple[Domain, Trials] | None = None
        choices = [spec[1] for spec in space.values() if spec[0] == "choice"]
        self.size = math.prod(map(len, choices)) if len(choices) == len(space) else math.inf

    @property
    def exhausted(self) -> bool:
        """Whether every point was tried: a space of choices alone has an end."""
        return self.suggested >= self.size

    def _hyperopt(self) -> "tuple[Domain, Trials]":
        """hyperopt's view of the space and of what was observed; it is imported when first needed."""
        from hyperopt.base import Domain, Trials

        if self._tpe is None:
            self._tpe = Domain(lambda _: 0.0, spaces.for_hyperopt(self.space)), Trials()
        return self._tpe

    def suggest(self) -> spaces.Point:
        """The next point, from what was observed so far."""
        from hyperopt import space_eval, tpe

        self.suggested += 1
        number = self.suggested
        if number == 1 and self.size == math.inf:
            return spaces.first(self.family, self.space)
        if self.size < math.inf:
            points = itertools.product(*(spec[1] for spec in self.space.values()))
            return dict(zip(self.space, next(itertools.islice(points, number - 1, None)), strict=True))
        suggestion = tpe.suggest(
            [number], *self._hyperopt(), self.seed + number, n_startup_jobs=self.random_trials
        )
        values = {name: value[0] for name, value in suggestion[0]["misc"]["vals"].items()}
        return spaces.plain(self.space, space_eval(spaces.for_hyperopt(self.space), values))

    def observe(self, point: Mapping[str, Any], loss: float | None) -> None:
        """Add a result; a failed trial teaches TPE nothing."""
        from hyperopt.base import JOB_STATE_DONE, STATUS_OK

        if loss is None:
            return
        _, trials = self._hyperopt()
        number = len(trials.trials)
        values = {name: [_index(self.space[name], point[name])] for name in self.space}
        misc = {"tid": number, "cmd": ("domain_attachment", "FMinIter_Domain"), "vals": values}
        misc["idxs"] = {name: [number] for name in self.space}
        result = {"loss": loss, "status": STATUS_OK}
        document = trials.new_trial_docs([number], [None], [result], [misc])[0]
        document["state"] = JOB_STATE_DONE
        trials.insert_trial_doc(document)
        trials.refresh()


def _index(spec: spaces.Spec, value: object) -> object:
    """A value as hyperopt stores it: the place of a choice, else the number itself."""
    return list(spec[1]).index(value) if spec[0] == "choice" else value


def next_family(names: Sequence[str], submitted: Mapping[str, int], best: Mapping[str, float | None]) -> str:
    """The family whose turn it is: first the fair start, then shares that fall with the square of the rank.

    `submitted` counts trials, `best` is the lowest loss observed (None: none yet, or all failed).
    """
    behind = [name for name in names if submitted[name] < FAIR]
    if behind:
        return min(behind, key=lambda name: (submitted[name], names.index(name)))
    ranked = sorted(names, key=lambda name: (best[name] is None, best[name] or 0.0, names.index(name)))
    weight = {name: 1.0 / (rank + 1) ** 2 for rank, name in enumerate(ranked)}
    return min(ranked, key=lambda name: (submitted[name] - FAIR + 1) / weight[name])
