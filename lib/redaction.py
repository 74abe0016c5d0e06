"""What must not be kept, shown or sent: passwords, tokens and keys, by their name or in a URL."""

import re
from collections.abc import Mapping

HIDDEN = "(hidden)"
_SECRET = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)")
_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def redact(name: str, value: object) -> object:
    """A named value as it may be kept: what is called a secret, or stands as one in a URL, is hidden."""
    if isinstance(value, Mapping):
        return {key: redact(str(key), item) for key, item in value.items()}
    if _SECRET.search(name):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [redact("", item) for item in value]
    return text(value) if isinstance(value, str) else value


def text(line: str) -> str:
    """A text without the user and password of the URLs in it."""
    return _IN_URL.sub(HIDDEN, line)
