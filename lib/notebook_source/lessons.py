"""Which lesson or exercise is meant: LESSON=01, LESSON=1 or the name of its file."""

import re
from pathlib import Path

from lib.errors import ParameterError, did_you_mean


def find(folder: Path, lesson: str = "") -> list[Path]:
    """The numbered notebooks of a folder in their order, or the one that `lesson` names."""
    there = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not lesson:
        return there
    asked = Path(lesson).name.removesuffix(".ipynb")
    number = f"{int(asked):02d}" if re.fullmatch(r"[0-9]{1,2}", asked) else ""
    found = [path for path in there if asked == path.stem or number == path.stem[:2]]
    if not found:
        names = [path.stem for path in there]
        raise ParameterError(
            f"There is no LESSON={lesson}, but {', '.join(names) or 'none yet'}." + did_you_mean(asked, names)
        )
    return found
