"""``snapshot:`` of an expectation: the answer must be the one that was kept in a file.

::

    snapshot: PATH | {file: PATH, mask?: [JSONPATH, …]}

The file ends in ``.json`` (compared as JSON) or in anything else (as text). What ``mask`` selects
is compared by its type alone, and is kept as an empty value of that type. Snapshots are written by
``pytest --greenroom-update-snapshots`` only, where the answer meets everything else that is
expected of it; a check that wrote one is *error*: nothing was compared.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from jsonpath_rfc9535 import JSONPathError

from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_expect import read_path, read_query
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Rule
from greenroom.validators.json_values import (
    JsonType,
    cut,
    printable,
    shown_differences,
    shown_text_difference,
    type_of,
)

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.validators.http import Answer

SNAPSHOT_KEYS = ("file", "mask")
_RULE = "snapshot"
_UPDATE = "--greenroom-update-snapshots"
_LARGEST = 16 * 1024 * 1024
_MASKED: dict[JsonType, Any] = {
    JsonType.STRING: "",
    JsonType.INTEGER: 0,
    JsonType.NUMBER: 0,
    JsonType.BOOLEAN: False,
    JsonType.ARRAY: [],
    JsonType.OBJECT: {},
    JsonType.NULL: None,
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An expectation: the file ``name`` in ``path``, and what is masked.

    ``writing`` is there where the run writes snapshots: it knows the secrets that none may hold.
    """

    name: str
    path: Path
    mask: tuple[JSONPathQuery, ...] = ()
    writing: Redactor | None = None

    def judge(self, answer: Answer, *, met: bool) -> Rule:
        """Compare with the file; or write it, if the answer ``met`` all else that is expected."""
        try:
            received = self._masked(answer.body) if self._is_json else answer.text()
        except (ValueError, RecursionError, JSONPathError) as error:
            what = "JSON" if self._is_json else "text"
            why = cut(printable(str(error))) or "nested too deeply"
            return Rule(_RULE, self.name, f"no {what}: {why}", met=False)
        if self.writing is not None:
            seen = self._written(received, self.writing) if met else "not written: see the rest"
            return Rule(_RULE, self.name, seen, None)
        return self._compared(received)

    @property
    def _is_json(self) -> bool:
        return self.path.suffix == ".json"

    def _compared(self, received: Any) -> Rule:  # noqa: ANN401 - a JSON value, or a text
        try:
            if self.path.stat().st_size > _LARGEST:
                return Rule(_RULE, self.name, "the file is too large to be a snapshot", None)
            kept = self.path.read_bytes()
            expected = self._masked(kept) if self._is_json else kept.decode()
            seen = self._difference(expected, received)
        except FileNotFoundError:
            return Rule(_RULE, self.name, f"there is none yet: write it with {_UPDATE}", None)
        except (OSError, ValueError, RecursionError, JSONPathError) as error:
            return Rule(_RULE, self.name, f"the file cannot be read: {error}", None)
        return Rule(_RULE, self.name, seen or "the same", not seen)

    def _difference(self, expected: Any, received: Any) -> str:  # noqa: ANN401 - JSON values, or texts
        if self._is_json:
            return shown_differences(expected, received)
        return "" if expected == received else shown_text_difference(expected, received)

    def _masked(self, body: bytes) -> Any:  # noqa: ANN401 - a JSON value
        value = read_json(body)
        places = [node.location for query in self.mask for node in query.find(value)]
        # The deepest first: what lies around them is emptied later.
        for place in sorted(places, key=len, reverse=True):
            value = _emptied(value, place)
        return value

    def _written(self, received: Any, redactor: Redactor) -> str:  # noqa: ANN401 - as above
        text = received
        if self._is_json:
            text = json.dumps(received, ensure_ascii=False, indent=2) + "\n"
        if redactor.text(text) != text:
            return "not written: it would hold a secret; mask it"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile("wb", dir=self.path.parent, delete=False) as file:
                file.write(text.encode())
            Path(file.name).chmod(0o644)
            os.replace(file.name, self.path)  # noqa: PTH105 - whole or not at all
        except (OSError, ValueError) as error:
            return f"not written: {error}"
        return f"written, so nothing was compared: run again without {_UPDATE}"


def read_snapshot(fields: Fields, node: Node, contracts: Contracts) -> Snapshot:
    """Read the value of ``snapshot``; raises `SettingsError`."""
    given = node
    mask: tuple[JSONPathQuery, ...] = ()
    if isinstance(node, Mapping):
        found = fields.mapping(node, _RULE, SNAPSHOT_KEYS)
        given = fields.required(found, "file", node, _RULE)
        if "mask" in found:
            listed = fields.items(found["mask"].value, "mask")
            mask = tuple(
                read_query(fields, item.place, fields.text(item, "a mask")) for item in listed
            )
    name = read_path(fields, given, _RULE)
    try:
        path = contracts.files.path(name, "snapshot")
    except SettingsError as error:
        raise fields.error(given.place, str(error), error.hint) from error
    if mask and path.suffix != ".json":
        raise fields.error(given.place, "mask is for a snapshot of JSON", "name the file *.json")
    return Snapshot(name, path, mask, contracts.snapshots)


def _emptied(value: Any, place: tuple[int | str, ...]) -> Any:  # noqa: ANN401 - JSON values
    """Return ``value`` with an empty one of the same type at ``place``."""
    if not place:
        return _MASKED[type_of(value)]
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = _MASKED[type_of(holder[place[-1]])]
    return value
