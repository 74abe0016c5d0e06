"""YAML as parameters have it: plain values, without tags and anchors, no key given twice."""

from pathlib import Path
from typing import Any

import yaml

from lib.errors import ParameterError


def read(path: Path, shown: str) -> dict[str, Any]:
    """The mapping in a YAML file of parameters, which errors call `shown`."""
    try:
        values = value(path.read_text(encoding="utf-8"), shown) or {}
    except OSError as error:
        known = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise ParameterError(
            f"PARAMS={shown} cannot be read ({error.strerror}); there are {known}."
        ) from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{shown} is not YAML: it is no UTF-8 (byte {error.start}).") from error
    if not isinstance(values, dict):
        raise ParameterError(f"{shown} must hold `key: value` lines, not {type(values).__name__}.")
    return values


def value(text: str, origin: str) -> Any:
    """The value of YAML without tags, anchors and a key given twice; errors begin with `origin`."""
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" in line {mark.line + 1}" if mark and "\n" in text else ""
        raise ParameterError(f"{origin} is not YAML{line}: {error.problem or error.context}.") from error
    except RecursionError:
        raise ParameterError(f"{origin} is not YAML: it is nested too deeply.") from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: a date or a number that is none
        raise ParameterError(f"{origin} is not YAML: {' '.join(str(error).split())[:200]}.") from error


class _Loader(yaml.SafeLoader):
    """PyYAML's safe one, refusing what it would take without a word."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            what = "tags and anchors are not read"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                what = f"{key.value!r} is given twice: take one away"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)
