"""Which pages of a run are to be made: by a rule of their own, so that no step runs for one.

`.pages` says of each page what it was made of and which file it became. A page that was deleted, broken
or changed by something else, and one whose notebook, links or prose are others now, is made again. Standard
library only: a start with nothing to do asks this, too.
"""

from pathlib import Path

from lib import files, paths
from lib.notebook_source import prose
from lib.runner.staleness import Place

#: What an index page is made of, beside the steps' own files.
_SHOWN = ("run.json", "provenance.json", "tuned.json", "metrics.json", "registry.json")


def stale(folder: Path) -> dict[Path, str]:
    """The pages that the run in `folder` lacks, or that are not as they were made, and what they are of."""
    known = files.read_json(folder / ".pages")
    return {
        path: made_of
        for path, made_of in _pages(folder).items()
        if known.get(path.relative_to(folder).as_posix()) != [made_of, _stamp(path)]
    }


def made(folder: Path, path: Path, made_of: str) -> None:
    """Remember that the page at `path` was made of that."""
    known, name = files.read_json(folder / ".pages"), path.relative_to(folder).as_posix()
    files.write_json(folder / ".pages", known | {name: [made_of, _stamp(path)]})


def _pages(folder: Path) -> dict[Path, str]:
    """The pages that there should be, with a digest of what each is made of."""
    places = {name: Place(folder, name) for name in files.read_json(folder / "run.json").get("graph", {})}
    if not places:
        return {}
    links = [[place.record.exists(), place.failed.exists()] for place in places.values()]
    report = [_stamp(path) for path in sorted(Path(__file__).parent.rglob("*.*")) if path.suffix != ".pyc"]
    state = [_stamp(path) for place in places.values() for path in (place.record, place.failure)]
    found: dict[Path, list[object]] = {
        folder / "index.html": [*(_stamp(folder / name) for name in _SHOWN), *state]
    }
    for name, place in places.items():
        executed = place.executed if place.record.exists() else place.failed
        if executed.exists():
            text = prose.digest(paths.here().notebooks / f"{name}.ipynb")
            found[executed.with_suffix(".html")] = [_stamp(executed), text, links]
    return {path: files.digest_of([*about, report]) for path, about in found.items()}


def _stamp(path: Path) -> list[int]:
    try:
        return files.stamp(path)[:2]  # a copied folder is no reason to make its pages again
    except OSError:
        return []
