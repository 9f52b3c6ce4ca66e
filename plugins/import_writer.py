"""Writes what was imported as a suite's YAML, with its schemas; the same text each time."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.import_model import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import RoundTripRepresenter

    from greenroom.plugins.import_model import Draft, Imported

_FLOW_MOST = 72
"""Characters of the longest mapping that is written on one line."""
_OPENING = (":", "?", "<<")
"""What a plain text on one line cannot begin with, to be read as it is by every reader."""
_WIDE = 100_000


def suite_text(imported: Imported, target: str, source: str, schemas: Mapping[str, str]) -> str:
    """Return the suite file; ``schemas`` are the paths of the checks' schemas by their names."""
    head = [
        f"# Written by `greenroom import` from {readable(source)} ({imported.kind}).",
        "# A start: expect what matters to you, and take out what does not.",
    ]
    suite: dict[str, Any] = {"version": 1, "name": imported.name}
    if target:
        suite["target"] = target
    checks = [_check(draft, schemas.get(draft.name, "")) for draft in imported.drafts]
    return "\n".join([*head, _yaml({**suite, "checks": checks})])


def schema_files(drafts: Iterable[Draft]) -> dict[str, tuple[str, str]]:
    """Return file name and text of each schema by its check's name."""
    found: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    for draft in drafts:
        if draft.schema is not None:
            base = re.sub(r"[^a-z0-9]+", "-", draft.name.lower()).strip("-")[:80] or "answer"
            file, number = base, 1
            while file in taken:
                number += 1
                file = f"{base}-{number}"
            taken.add(file)
            text = json.dumps(draft.schema, indent=2, ensure_ascii=False) + "\n"
            # Half a character (a lone surrogate) is no UTF-8; its escape is JSON.
            whole = text.encode("utf-8", "backslashreplace").decode()
            found[draft.name] = f"{file}.schema.json", whole
    return found


def _check(draft: Draft, schema: str) -> dict[str, Any]:
    check: dict[str, Any] = {"name": draft.name}
    if draft.tags:
        check["tags"] = list(draft.tags)
    if draft.max_body:
        check["max_body"] = draft.max_body
    request: dict[str, Any] = {draft.method: draft.path}
    if draft.headers:
        request["headers"] = dict(draft.headers)
    if draft.content is not None:
        key, value = draft.content
        request[key] = value
    expect = {**draft.expect, **({"schema": schema} if schema else {})}
    return {**check, "http": request, "expect": expect}


def _yaml(suite: dict[str, Any]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow, and only a command that writes needs it
    from ruamel.yaml.representer import RoundTripRepresenter  # noqa: PLC0415 - as above

    class Representer(RoundTripRepresenter):
        """Writes ``null`` where ruamel would write nothing."""

    Representer.add_representer(type(None), _null)
    yaml = YAML()
    yaml.Representer = Representer
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_styled(suite, top=True), out)
    return out.getvalue()


def _null(representer: RoundTripRepresenter, _: None) -> ScalarNode:
    node: ScalarNode = representer.represent_scalar("tag:yaml.org,2002:null", "null")
    return node


def _styled(value: Any, *, top: bool = False) -> Any:  # noqa: ANN401 - what ruamel writes
    """Return ``value`` as ruamel's own: small mappings and lists on one line, no two alike."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq  # noqa: PLC0415 - as above
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString  # noqa: PLC0415 - as above

    match value:
        case dict():
            mapping = CommentedMap((_key(key), _styled(item)) for key, item in value.items())
            if not top and _is_small(value):
                mapping.fa.set_flow_style()
            return mapping
        case list():
            sequence = CommentedSeq(_styled(item) for item in value)
            if _is_small(value):
                sequence.fa.set_flow_style()
            return sequence
        case str() if _must_be_quoted(value):
            return DoubleQuotedScalarString(value)
        case _:
            return value


def _key(key: str) -> Any:  # noqa: ANN401 - a text or ruamel's own
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString  # noqa: PLC0415 - as above

    return DoubleQuotedScalarString(key) if _must_be_quoted(key) else key


def _must_be_quoted(text: str) -> bool:
    return (
        not text.isprintable() or "${" in text or text != text.strip() or text.startswith(_OPENING)
    )


def _is_small(value: dict[str, Any] | list[Any]) -> bool:
    """Tell whether a mapping of one scalar, or a list of scalars, fits on a line."""
    items = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, dict) and len(value) > 1:
        return False
    flat = not any(isinstance(item, dict | list) and item for item in items)
    return flat and len(json.dumps(value)) <= _FLOW_MOST
