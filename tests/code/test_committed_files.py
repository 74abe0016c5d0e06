"""What is committed stands on its own: no file names a folder of the machine that it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

from lib import problem

PROJECT = Path(__file__).parents[2]

#: A home or work folder from the root of a disk; the same word inside a URL or a relative path is none.
ABSOLUTE = re.compile(
    r"(?<![\w.~)}>*-])/(?:home|Users|root|work|private|mnt)/[\w.~-]+|(?<!\w)[A-Za-z]:\\+(?:Users|Documents|Windows|Temp)\b"
)


def committed() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [PROJECT / name for name in listing.stdout.split("\0") if name and (PROJECT / name).is_file()]


def of_the_user(paths: list[Path]) -> list[Path]:
    """The files of problems that `make new-problem` wrote: they say where the user's own file lies."""
    ours = ("green_taxi", "music_genres", "nyc_rentals")
    theirs = [name for name in problem.names() if name not in ours]
    packages = [PROJECT / "lib" / "datasets" / name for name in theirs]
    named = [PROJECT / "params" / f"{name}.yaml" for name in theirs]
    return [path for path in paths if path in named or any(path.is_relative_to(one) for one in packages)]


def test_no_committed_file_names_an_absolute_path():
    locks = {PROJECT / "requirements.txt", *(PROJECT / "requirements").glob("*.txt")}  # 4,000 hashes
    found = {}
    for path in set(committed()) - locks - set(of_the_user(committed())):
        content = path.read_bytes()
        if b"\0" not in content:
            there = ABSOLUTE.findall(content.decode())
            found |= {path.relative_to(PROJECT).as_posix(): there} if there else {}
    assert found == {}


@pytest.mark.parametrize(
    "path", [["", "home", "ada", "x"], ["file:", "", "", "Users", "ada"], ["", "root", "x"]]
)
def test_a_path_from_the_root_is_found(path):
    assert ABSOLUTE.search(f"read_csv('{'/'.join(path)}')")


def test_a_path_from_a_drive_is_found():
    drive = "C" + ":"
    assert ABSOLUTE.search(rf"read_csv('{drive}\Users\ada\x.csv')")
    assert ABSOLUTE.search(rf'"{drive}\\Users\\ada"')


@pytest.mark.parametrize(
    "text", ["https://www.nyc.gov/home/terms.page", "a/work/b", "~/work/b", "P:\n", "x:\\n"]
)
def test_a_url_or_a_relative_path_is_no_path_from_the_root(text):
    assert not ABSOLUTE.search(text)
