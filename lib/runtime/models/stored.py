"""Estimators on disk without pickle: skops, an explicit list of trusted types, and always the same bytes."""

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InferenceError

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

#: Types beyond skops's own list that our families hold; none of them runs code when it is loaded.
TRUSTED = [
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.AbsoluteError",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn._loss._loss.CyAbsoluteError",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "numpy.random.mtrand.RandomState",
    "numpy.dtype",
]


def dump(estimator: "BaseEstimator", path: Path) -> None:
    """Write `estimator`; the same estimator gives the same bytes on any day and in any process."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files.pop("schema.json"))
    names = _renamed(schema)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, key=lambda n: names.get(n, n)):
            _put(archive, names.get(name, name), files[name])
        _put(archive, "schema.json", json.dumps(schema, sort_keys=True).encode())


def load(path: Path) -> "BaseEstimator":
    """Read what `dump` wrote, refusing any type that is not on the list."""
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    strange = sorted(set(types) - set(TRUSTED))
    if strange:
        raise InferenceError(
            f"{path} holds types that are not trusted: {strange}. Refuse it unless it is yours."
        )
    return skops.io.load(path, trusted=types)


def _renamed(schema: object) -> dict[str, str]:
    """Number the objects that skops names by their addresses; returns the files' new names."""
    ids: dict[object, int] = {}
    names: dict[str, str] = {}

    def walk(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
            if isinstance(node.get("file"), str):
                old = node["file"]
                node["file"] = names.setdefault(old, f"{len(names) + 1}{Path(old).suffix}")
            for value in node.values():
                walk(value)

    walk(schema)
    return names


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
