"""What must not be kept, shown or sent: passwords, tokens and keys.

`redact` hides by name, in parameters; `text` hides in whatever is written or said: what an address holds of
them, and the values of secret parameters and environment variables, wherever these stand. A column's name
hides nothing: keys and tokens are data, too. Standard library only.
"""

import functools
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NAMES = "passw|passphrase|secret|credential|key(?!word|board)|token(?!i[sz])"
_NAMED = re.compile(f"(?i){_NAMES}")
#: A number under such a name says how many: `max_tokens`.
_COUNTED, _NUMBER = re.compile(r"(?i)keys|tokens"), re.compile(r"[-+.\de]+")
_HIDDEN = re.compile(r"\(hidden [0-9a-f]{4}\)")
#: `user:password` in `https://user:password@host`, and what `?api_key=` is followed by.
_BEFORE_HOST = re.compile(r"""://([^\s/?#"'<>\\]+)@""")
_IN_QUERY = re.compile(
    r"""(?i)([?&][\w.;-]*(?:passw|secret|credential|key|token|signature)[\w.-]*=)(?!\(hidden)([^\s&#"'<>\\]+)"""
)
#: A secret name and its value as they are typed: quoted, in brackets, or up to the next `name=`. What is not
#: closed goes on to the end.
_TYPED = (
    rf"""(?is)(?<![\w.-])([\w.-]*(?:{_NAMES})[\w.-]*)["']?\s*[=:]\s*"""
    r"""("[^"]*"?|'[^']*'?|[\[{(].*|.+?(?=\s+[a-z_][\w.]*=|$))"""
)
#: A short word of small letters may be the name of anything. Such a value of the environment is not looked
#: for, and one of a parameter not where a string is nothing else, as a step's name in a record is.
_WORD = re.compile(r"[a-z_.-]{0,15}")
_SHORTEST = 8
#: The shortest parameters that are looked for as words of their own; shorter numbers are in every table.
_SHORTEST_WORD, _SHORTEST_NUMBER = 4, 6
#: The values of secret parameters that this process was given.
_GIVEN: set[str] = set()


def hidden(value: object) -> str:
    """What stands for a secret: four digits of a hash tell it from another, and are too few to find it by."""
    return f"(hidden {hashlib.sha256(str(value).encode(errors='replace')).hexdigest()[:4]})"


def is_hidden(value: object) -> bool:
    """Whether this stands for a secret, and is none."""
    return bool(_HIDDEN.fullmatch(str(value)))


def redact(parameters: Mapping[str, object]) -> dict[str, object]:
    """Parameters as they may be kept; below a mapping of a secret name all is secret."""
    known, words = _known(), _words()

    def kept(name: str, value: object) -> object:
        if isinstance(value, Mapping):
            return {key: kept(f"{name}.{key}", item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [kept(name, item) for item in value]
        if _is_secret(name, value):
            return hidden(value)
        return _value(known, words, value) if isinstance(value, str) else value

    return {name: kept(name, value) for name, value in parameters.items()}


def text(line: str) -> str:
    """A text without the secrets in it."""
    return _without(_known(), line, _words())


def typed(part: str, whole: str = "") -> str:
    """What was typed in, before anything could be read of it: without what follows a secret name in it.

    `part` may be one of the words of the `whole`, to which a name belongs that stands before it.
    """
    for name, value in [*re.findall(_TYPED, part), *re.findall(_TYPED, whole)]:
        if _is_secret(name, value):
            part = part.replace(value, hidden(value))
    return text(part)


def strings(value: object) -> Any:
    """A value in JSON's own types without the secrets in its names and strings; numbers stay numbers.

    To be asked before the value is serialised: `0.412345678` must not lose the digits of a password.
    """
    known, words = _known(), _words()

    def kept(item: object) -> object:
        if isinstance(item, Mapping):
            return {_without(known, name): kept(one) for name, one in item.items()}
        if isinstance(item, list):
            return [kept(one) for one in item]
        return _value(known, words, item) if isinstance(item, str) else item

    return kept(value)


def texts(lines: Mapping[str, str]) -> dict[str, str]:
    """Named texts without the secrets in them; their names hide nothing."""
    known, words = _known(), _words()
    return {name: _value(known, words, line) for name, line in lines.items()}


def remember(parameters: Mapping[str, object]) -> None:
    """From now on `text` hides the secrets among these parameters, too."""
    _GIVEN.update(_secrets("", parameters))


def _known() -> list[str]:
    """What to look for, of parameters that were remembered and of the environment as it is now.

    Line by line, as notebooks keep text: a private key has many.
    """
    lines = {line for value in _GIVEN.union(_secrets("", os.environ)) for line in value.splitlines()}
    return sorted(filter(_can_be_looked_for, lines), key=len, reverse=True)  # one may hold another


def _words() -> list[str]:
    """What to look for as a word of its own: parameters too short or too common to hide anywhere."""
    lines = {line for value in _GIVEN for line in value.splitlines() if not _can_be_looked_for(line)}
    return sorted(filter(_is_word, lines), key=len, reverse=True)


def _is_word(value: str) -> bool:
    shortest = _SHORTEST_NUMBER if value.isdigit() else _SHORTEST_WORD
    return len(value) >= shortest and not ("/" in value and os.path.exists(value))  # noqa: PTH110


def _value(known: Sequence[str], words: Sequence[str], value: str) -> str:
    """A string of a record, or a parameter, without the secrets in it."""
    return _without(known, value, () if _WORD.fullmatch(value) else words)


def _without(known: Sequence[str], line: str, words: Sequence[str] = ()) -> str:
    line = _BEFORE_HOST.sub(lambda found: f"://{hidden(found[1])}@", line)
    line = _IN_QUERY.sub(lambda found: found[1] + hidden(found[2]), line)
    for value in known:
        for spelling in _spellings(value):
            line = line.replace(spelling, hidden(value))
    for value in words:
        line = _alone(value).sub(functools.partial(_hide, hidden(value)), line)
    return line


def _alone(value: str) -> re.Pattern[str]:
    """A value where it is part of no other word or number; what is hidden already is matched without it."""
    spelt = "|".join(map(re.escape, _spellings(value)))
    return re.compile(rf"{_HIDDEN.pattern}|(?<!\w)(?<!\d[.,])({spelt})(?![.,]?\d)(?!\w)")


def _hide(stands_for_it: str, found: re.Match[str]) -> str:
    return stands_for_it if found[1] else found[0]


def _is_secret(name: str, value: object) -> bool:
    if value is None or value == "" or isinstance(value, bool) or not _NAMED.search(name):
        return False
    counts = _COUNTED.search(name) and _NUMBER.fullmatch(str(value))
    return not counts and not is_hidden(value)


def _secrets(name: str, value: object) -> Iterator[str]:
    """The secrets in a named value: what is called one, and the passwords in addresses."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(name, item)
    elif _is_secret(name, value):
        yield str(value)
    elif isinstance(value, str) and "://" in value:
        yield from (user.partition(":")[2] or user for user in _BEFORE_HOST.findall(value))
        yield from (secret for _, secret in _IN_QUERY.findall(value))


def _can_be_looked_for(value: str) -> bool:
    """Whether a secret is so unlike other text that it can be hidden wherever it stands; no path is one."""
    if len(value) < _SHORTEST or _WORD.fullmatch(value):
        return False
    return not os.path.exists(value)  # noqa: PTH110 - Path would raise where it cannot be one


def _spellings(value: str) -> set[str]:
    """A value as it is, and as Python, JSON, HTML and addresses write it."""
    if value.isalnum():
        return {value}
    import html
    import json
    from urllib.parse import quote, unquote

    escaped = {html.escape(value), json.dumps(value)[1:-1], repr(value)[1:-1], quote(value, safe="")}
    return {value, unquote(value), *escaped}
