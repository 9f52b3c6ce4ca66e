"""Reads the keys that checks of outside tools share: texts, exit statuses, and proofs of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.static_custom import FIELDS, Format, Output, Proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

EVIDENCE_KEYS = ("json", "files", "least", "what", "skipped")
_STATUS_MOST = 255
_LEAST_MOST = 1_000_000


def read_output(fields: Fields, found: dict[str, Entry], node: Node, style: Format) -> Output:
    """Read ``evidence:``, ``results:`` and ``fields:``: how an output of that format is read."""
    reading = Output(
        style,
        _proof(fields, fields.required(found, "evidence", node, f"format {style.value}")),
        _query(fields, found.get("results"), "results"),
        _result_keys(fields, found.get("fields")),
    )
    if (style is Format.SARIF) != (reading.results is None):
        raise fields.error(
            node.place,
            f"format {style.value} {'takes no' if style is Format.SARIF else 'needs'} `results`",
            "it is the JSONPath of the results in JSON that is not SARIF: $.issues[*]",
        )
    return reading


def read_statuses(fields: Fields, entry: Entry | None, default: int) -> frozenset[int]:
    """Read a list of exit statuses."""
    if entry is None:
        return frozenset({default})
    items = fields.items(entry.value, entry.key)
    return frozenset(fields.whole(item, "an exit status", 0, _STATUS_MOST) for item in items)


def read_texts(
    fields: Fields, found: dict[str, Entry], key: str, default: Iterable[str]
) -> tuple[str, ...]:
    """Read a list of texts with their variables filled in."""
    if key not in found:
        return tuple(default)
    return tuple(
        fields.filled(item, f"an item of {key}") for item in fields.items(found[key].value, key)
    )


def read_filled(fields: Fields, found: dict[str, Entry], key: str, default: str) -> str:
    """Read a text with its variables filled in."""
    return fields.filled(found[key].value, key) if key in found else default


def _proof(fields: Fields, node: Node) -> Proof:
    found = fields.mapping(node, "evidence", EVIDENCE_KEYS)
    if ("json" in found) == ("files" in found):
        raise fields.error(node.place, "evidence needs one of json and files")
    least = found.get("least")
    files = read_texts(fields, found, "files", ())
    if any(glob.startswith("/") for glob in files):
        raise fields.error(node.place, "a pattern is absolute", "they start at the root folder")
    return Proof(
        what=read_filled(fields, found, "what", "files" if files else "things"),
        least=1 if least is None else fields.whole(least.value, "least", 1, _LEAST_MOST),
        files=files,
        json=_query(fields, found.get("json"), "json"),
        skipped=_query(fields, found.get("skipped"), "skipped"),
    )


def _query(fields: Fields, entry: Entry | None, what: str) -> JSONPathQuery | None:
    if entry is None:
        return None
    import jsonpath_rfc9535  # noqa: PLC0415 - slow to load, and known tools need none

    text = fields.text(entry.value, what)
    try:
        return jsonpath_rfc9535.compile(text)
    except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
        raise fields.error(entry.value.place, f"{what} is no JSONPath: {error}") from None


def _result_keys(fields: Fields, entry: Entry | None) -> tuple[tuple[str, str], ...]:
    if entry is None:
        return ()
    found = fields.mapping(entry.value, "fields", FIELDS)
    return tuple((name, fields.text(one.value, name)) for name, one in found.items())
