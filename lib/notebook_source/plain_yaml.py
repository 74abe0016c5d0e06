"""YAML as parameters have it: plain values, without tags and anchors, no key given twice."""

import re
from pathlib import Path
from typing import Any

import yaml

from lib.errors import ParameterError
from lib.wording import shown

#: How deep lists and mappings may stand in one another.
DEEPEST = 50
#: The whole numbers that everything which keeps them can hold.
WHOLE = range(-(2**63), 2**64)
#: What no text may hold: NUL, and halves of characters.
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")


def read(path: Path, called: str) -> dict[str, Any]:
    """The mapping in a YAML file of parameters, which errors call `called`."""
    try:
        values = value(path.read_text(encoding="utf-8"), called)
    except OSError as error:
        known = sorted(p.name for p in path.parent.glob("*.yaml"))
        raise ParameterError(
            f"PARAMS={called} cannot be read ({error.strerror}); there are {known}."
        ) from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{called} is not YAML: it is no UTF-8 (byte {error.start}).") from error
    if values is None:  # the file is empty, or all of it is comments
        return {}
    if not isinstance(values, dict):
        raise ParameterError(f"{called} must hold `key: value` lines, not {type(values).__name__}.")
    return values


def value(text: str, origin: str) -> Any:
    """The value of YAML without tags, anchors and a key given twice; errors begin with `origin`."""
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" in line {mark.line + 1}" if mark and "\n" in text else ""
        raise ParameterError(f"{origin} is not YAML{line}: {error.problem or error.context}.") from error
    except RecursionError:  # PyYAML's parser keeps what is open on Python's stack
        raise ParameterError(f"{origin} is not YAML: it is nested more than {DEEPEST} deep.") from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # a date, a number or a character that is none
        raise ParameterError(f"{origin} is not YAML: {' '.join(str(error).split())[:200]}.") from error


class _Loader(yaml.SafeLoader):
    """PyYAML's safe one, refusing what it would take without a word, and what cannot be kept as JSON."""

    _depth = 0

    def _refuse(self) -> None:
        raise yaml.MarkedYAMLError(problem="tags and anchors are not read", problem_mark=self.get_mark())

    fetch_tag = fetch_anchor = fetch_alias = _refuse

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth >= DEEPEST:
            raise _refused(f"it is nested more than {DEEPEST} deep", self.peek_event())
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        text = super().construct_scalar(node)
        if _NO_TEXT.search(text):
            raise _refused("it holds NUL or half a character", node)
        return text

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        short = len(node.value) <= 100  # Python itself refuses to read thousands of digits
        number: int = super().construct_yaml_int(node) if short else 2**64
        if number not in WHOLE:
            raise _refused("a whole number of it has more than 64 bits", node)
        return number

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [key for key, _ in node.value]
        for key in keys:
            if key.tag == "tag:yaml.org,2002:merge":
                raise _refused("`<<` is not read", key)
        found = super().construct_mapping(node, deep)
        if len(found) < len(keys):
            written = [str(key.value) for key in keys]
            same = [key for key in keys if written.count(str(key.value)) > 1]
            twice = (same or keys)[-1]
            raise _refused(f"{shown(twice.value)} is given twice: take one away", twice)
        return found


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _refused(what: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=where.start_mark)
