"""The map from the courses' sections to where they are met: whole, and each place is there."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
ENTRIES = yaml.safe_load((PROJECT / "docs" / "courses.yaml").read_text(encoding="utf-8"))
PLACES = sorted({place for entry in ENTRIES for place in entry.get("met", [])})


def prose(page: Path) -> str:
    """The Markdown of a page; of a notebook, that of its text cells."""
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def slugs(markdown: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a text; equal ones are numbered from the second on."""
    outside = re.sub(r"^(```|~~~).*?^\1[ \t]*$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", outside, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@cache
def anchors(page: Path) -> set[str]:
    return slugs(prose(page))


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("# What the picture says: l(x) and g(x)", {"what-the-picture-says-lx-and-gx"}),
        ("## A feature store's idea", {"a-feature-stores-idea"}),
        ("### `nyc_rentals`: [a night](x.md)?", {"nyc_rentals-a-night"}),
        ("## Why\n\n```\n# no heading\n```\n\n## Why\n", {"why", "why-1"}),
        ("Šidák\n\n## Šidák – and n", {"šidák--and-n"}),
    ],
)
def test_a_heading_has_the_anchor_that_github_gives_it(markdown, wanted):
    assert slugs(markdown) == wanted


def test_every_section_stands_there_once():
    counted = Counter((entry["document"], entry["section"]) for entry in ENTRIES)
    assert [section for section, count in counted.items() if count > 1] == []
    assert len(counted) == 111


def test_every_entry_says_where_it_is_met_or_why_it_is_left_out():
    for entry in ENTRIES:
        assert entry.keys() - {"level"} in (
            {"document", "section", "met"},
            {"document", "section", "left_out"},
        ), entry
        assert all(isinstance(entry[name], str) and entry[name] for name in ("document", "section")), entry
        if "met" in entry:
            assert entry["met"], entry
            assert len(set(entry["met"])) == len(entry["met"]), entry
            assert entry.get("level", 0) in range(5), entry
        else:
            assert len(entry["left_out"].split()) >= 3, entry
            assert "level" not in entry, entry


def test_few_sections_are_left_out():
    assert sum("left_out" in entry for entry in ENTRIES) <= 30


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_there_with_its_heading(place):
    file, _, heading = place.partition("#")
    page = PROJECT / file
    assert page.is_file(), f"{file} is not there"
    if heading:
        assert heading in anchors(page), f"{file} has the anchors {sorted(anchors(page))}"
