"""What markers say of a check: its kind, stage, gate and tags."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from greenroom.validators.errors import SettingsError
from greenroom.validators.record import Source
from greenroom.validators.vocabulary import Choice, Gate, Kind, Stage, choose

_KINDS = {kind.value: kind for kind in Kind}
_NOT_TAGS = frozenset(
    {"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xdist_group", "xfail"}
) | {"gate", "stage", *_KINDS}


class Marked(NamedTuple):
    """The marked facts of one item; ``problem`` says which marker means nothing."""

    kind: Kind
    stage: Stage
    gate: Gate
    tags: tuple[str, ...]
    source: Source
    problem: str = ""


_MARKED = pytest.StashKey[Marked]()


def facts_of(item: pytest.Item) -> Marked:
    """Return what the item's markers say, the closest marker first.

    Without a kind's marker a test is a unit test; without ``gate`` it blocks.
    """
    if (known := item.stash.get(_MARKED, None)) is not None:
        return known
    file, line, _ = item.location
    source = Source(file, (line or 0) + 1)
    try:
        marked = _read(item, source)
    except SettingsError as error:
        unit = Kind.UNIT
        marked = Marked(unit, unit.stage, Gate.BLOCK, (), source, problem=error.explain())
    item.stash[_MARKED] = marked
    return marked


def _read(item: pytest.Item, source: Source) -> Marked:
    kind, stage, gate = None, None, None
    tags: dict[str, None] = {}
    for mark in item.iter_markers():
        if mark.name in _KINDS:
            kind = kind or _KINDS[mark.name]
        elif mark.name == "gate":
            gate = gate or _argument(mark, Gate, str(source))
        elif mark.name == "stage":
            stage = stage or _argument(mark, Stage, str(source))
        elif mark.name not in _NOT_TAGS:
            tags[mark.name] = None
    kind = kind or Kind.UNIT
    return Marked(kind, stage or kind.stage, gate or Gate.BLOCK, tuple(tags), source)


def _argument(mark: pytest.Mark, choices: type[Choice], where: str) -> Choice:
    if len(mark.args) != 1 or mark.kwargs:
        known = ", ".join(choice.value for choice in choices)
        raise SettingsError(
            f"{where}: the marker {mark.name} takes one name", hint=f"use one of: {known}"
        )
    return choose(choices, mark.args[0], f"{where}: marker {mark.name}")
