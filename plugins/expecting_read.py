"""Reads what a Python test expects as a line of a suite's ``expect``, with its errors."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_expect import read_expect
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_rows import node_of
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, Place
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.running import Scene
    from greenroom.plugins.suite_model import Expect
    from greenroom.plugins.suite_yaml import Node

_HERE = Place(1, 1)


class _Call(Document):
    """A call in Python as a document: its errors have no place but the caller's."""

    __slots__ = ()

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        del place
        return SettingsError(message, hint=hint)


def read_line(where: Scene, key: str, value: object) -> Expect:
    """Read one line of what a suite's ``expect`` can hold; raises `SettingsError`."""
    __tracebackhide__ = True
    fields = _fields(where)
    assert fields.contracts is not None  # noqa: S101 - they were given
    try:
        return read_expect(fields, _node({key: value}), fields.contracts)
    except SettingsError as error:  # the test's own line is the place, not how it was read
        raise error.with_traceback(None) from None


def _fields(where: Scene) -> Fields:
    variables = Variables({}, {}, {}, where.redactor)
    writing = where.redactor if where.snapshots else None
    contracts = _contracts(where.folder, where.root, writing)
    return Fields(_Call(where.folder, ""), variables, contracts)


@functools.cache
def _contracts(folder: Path, root: Path, snapshots: Redactor | None) -> Contracts:
    """Return the contracts of the tests of a folder, each compiled once."""
    return Contracts(folder, root, snapshots)


def _node(value: object) -> Node:
    """Return a JSON value as a node; raises `TypeError` and `ValueError` for what is none."""
    return node_of(json.loads(json.dumps(value, allow_nan=False)), _HERE)
