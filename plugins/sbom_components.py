"""An SBOM's own components that Trivy leaves out and tells nobody, and those it need not read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ToolError
from greenroom.validators.image import Unread

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_MOST = 64 * 1024 * 1024
_RELATION = "relationshipType"


def unread_components(
    path: Path, told: Collection[Unread], examined: Collection[str]
) -> tuple[Unread, ...]:
    """Return what of the SBOM at ``path`` was not examined.

    ``told`` is what Trivy's log says, ``examined`` the package URLs of its report. A document in
    another form than JSON says nothing more. The thing that an SBOM in SPDX describes is none of
    its own components. Raises `ToolError` for more than 64 MiB.
    """
    document = _document(path)
    if not isinstance(document, dict):
        return tuple(told)
    described = frozenset(_described(document))
    left = [one for one in told if one.path not in described]
    return (*left, *_inner(document, examined))


def _document(path: Path) -> Any:  # noqa: ANN401 - a JSON value
    if path.stat().st_size > _MOST:
        raise ToolError(f"{path.name} has more than {_MOST:,} bytes", hint="give a smaller SBOM")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _described(document: dict[str, Any]) -> Iterator[str]:
    """Yield what an SPDX document is of, as Trivy's log names it."""
    relations = _objects(document.get("relationships"))
    ids = {one.get("relatedSpdxElement") for one in relations if one.get(_RELATION) == "DESCRIBES"}
    ids.update(str(one) for one in document.get("documentDescribes") or ())
    for package in _objects(document.get("packages")):
        if package.get("SPDXID") in ids:
            name, version = package.get("name", ""), package.get("versionInfo")
            yield f"{name}@{version}" if version else str(name)


def _inner(document: dict[str, Any], examined: Collection[str]) -> Iterator[Unread]:
    """Yield the components within components of CycloneDX, which Trivy does not read."""
    waiting = [
        inner
        for outer in _objects(document.get("components"))
        for inner in _objects(outer.get("components"))
    ]
    while waiting:
        one = waiting.pop()
        waiting += _objects(one.get("components"))
        purl = str(one.get("purl") or "")
        if purl not in examined:
            name = f"{one.get('name', '')}@{one.get('version', '')}".removesuffix("@")
            yield Unread(name, "a component within another one")


def _objects(value: object) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]
