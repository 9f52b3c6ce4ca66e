"""How two JSON values, or two texts, differ: the pure functions that compare them.

A `Difference` names its place as a JSONPath; `ABSENT` stands for a value that one side lacks.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Absent(Enum):
    """What stands for a value that is not there; JSON's null is one that is."""

    ABSENT = "nothing"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a value is not the expected one; both are JSON values or `ABSENT`."""

    path: str
    expected: Any
    received: Any


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON values
    """Tell whether two JSON values are equal: ``1`` is ``1.0``, and no boolean is a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def differences(expected: Any, received: Any, path: str = "$") -> Iterator[Difference]:  # noqa: ANN401 - JSON values
    """Yield the deepest places at which ``received`` is not ``expected``, in document order."""
    if isinstance(expected, dict) and isinstance(received, dict):
        for key in (*expected, *(key for key in received if key not in expected)):
            yield from differences(
                expected.get(key, ABSENT), received.get(key, ABSENT), member(path, key)
            )
    elif isinstance(expected, list) and isinstance(received, list):
        pairs = zip_longest(expected, received, fillvalue=ABSENT)
        for index, (one, other) in enumerate(pairs):
            yield from differences(one, other, f"{path}[{index}]")
    elif not same(expected, received):
        yield Difference(path, expected, received)


def member(path: str, name: str) -> str:
    """Return the JSONPath of a member of the object at ``path``."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{escaped}']"


def unmatched(expected: Sequence[Any], received: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the items of a list that are missing, and those too many; their order is free."""
    wanted = Counter(map(keyed, expected))
    found = Counter(map(keyed, received))
    return _left(expected, wanted - found), _left(received, found - wanted)


def keyed(value: Any) -> Hashable:  # noqa: ANN401 - a JSON value
    """Return a key that is the same for two JSON values exactly if they are `same`."""
    match value:
        case bool():
            return ("boolean", value)
        case dict():
            return frozenset((key, keyed(one)) for key, one in value.items())
        case list():
            return tuple(map(keyed, value))
        case _:
            return ("plain", value)


def first_line(expected: str, received: str) -> tuple[int, str, str]:
    """Return the number (from 1) of the first line that differs, and that line of both."""
    pairs = zip_longest(expected.split("\n"), received.split("\n"), fillvalue="")
    numbered = enumerate(pairs, 1)
    return next(((at, *pair) for at, pair in numbered if pair[0] != pair[1]), (0, "", ""))


def _left(values: Sequence[Any], counts: Counter[Hashable]) -> list[Any]:
    left = []
    for value in values:
        if counts[key := keyed(value)] > 0:
            counts[key] -= 1
            left.append(value)
    return left
