"""OpenVEX documents: statements that a product is not affected by a vulnerability, as waivers.

Source: OpenVEX specification 0.2.0. Statements of *not_affected* and *fixed* waive; a statement
of another product than the subject does not. Of several about one thing, the latest counts.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote

from greenroom.validators.errors import SettingsError
from greenroom.validators.image_reference import parse_reference
from greenroom.validators.result_waiver import ResultWaiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONTEXT = "https://openvex.dev/ns"
_STATUSES = ("not_affected", "affected", "fixed", "under_investigation")
_WAIVING = ("not_affected", "fixed")
_NAME_ONLY = ("deb", "apk", "rpm")
_GLOB = {"[": "[[]", "*": "[*]", "?": "[?]"}


class _Purl(NamedTuple):
    kind: str
    name: str
    version: str
    repository: str = ""


class _Image(NamedTuple):
    """The image that is checked: the last part of its name, its digest and its repository."""

    name: str
    digest: str
    repository: str


def read_openvex(path: Path, subject: str, digest: str) -> tuple[ResultWaiver, ...]:
    """Return what the document says of the image ``subject`` with ``digest``, or of its packages.

    Raises `SettingsError` for a document that is none, or that says nothing that can be used.
    """
    document = _document(path)
    found: dict[tuple[str, str, str], ResultWaiver | None] = {}
    image = _Image(_last(subject), digest, _repository(subject))
    for number, statement in _in_time(document, path):
        where = f"{path.name}: statement {number}"
        try:
            waives = _waives(statement, where)
            for waiver in _waivers(statement, where, image):
                found[waiver.id, waiver.package, waiver.version] = waiver if waives else None
        except (KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{where} is no statement of OpenVEX: {error!r}",
                hint="it needs status, vulnerability (its name) and products (their ids)",
            ) from error
    return tuple(filter(None, found.values()))


def _in_time(document: dict[str, Any], path: Path) -> list[tuple[int, Any]]:
    """Return the statements with their numbers, the oldest first: the last one counts."""
    given = list(enumerate(document["statements"], start=1))
    return sorted(
        given, key=lambda one: _time(one[1], document, f"{path.name}: statement {one[0]}")
    )


def _time(statement: Any, document: dict[str, Any], where: str) -> float:  # noqa: ANN401 - JSON
    own = statement.get("timestamp") if isinstance(statement, dict) else None
    if (text := own or document.get("timestamp")) is None:
        return 0.0
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        raise SettingsError(
            f"{where}: {text!r} is no timestamp", hint="write 2026-01-31T12:00:00Z"
        ) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} is no JSON: {error}", hint="an OpenVEX document is JSON: write it anew"
        ) from error
    known = isinstance(document, dict) and str(document.get("@context")).startswith(_CONTEXT)
    if not known or not isinstance(document.get("statements"), list):
        raise SettingsError(
            f"{path} is no OpenVEX document", hint=f'it needs "@context": "{_CONTEXT}/v0.2.0"'
        )
    return dict(document)


def _waives(statement: dict[str, Any], where: str) -> bool:
    if (status := statement["status"]) not in _STATUSES:
        raise SettingsError(
            f"{where}: unknown status {status!r}", hint=f"statuses: {', '.join(_STATUSES)}"
        )
    return status in _WAIVING


def _waivers(statement: dict[str, Any], where: str, subject: _Image) -> Iterator[ResultWaiver]:
    status, named = statement["status"], statement["vulnerability"]
    name = named if isinstance(named, str) else named["name"]
    if not name:
        raise SettingsError(f"{where} names no vulnerability", hint="give its id: CVE-2024-12345")
    given = statement.get("impact_statement") or statement.get("justification")
    reason = f"OpenVEX: {status.replace('_', ' ')}{f': {given}' if given else ''}"
    for package in _packages(statement.get("products") or (), subject):
        yield ResultWaiver(
            id=_literal(name),
            reason=reason,
            expires=None,
            package=_literal(package.name),
            version=_literal(package.version),
            where=where,
        )


def _packages(products: Any, subject: _Image) -> Iterator[_Purl]:  # noqa: ANN401 - JSON
    for product in products:
        identity = product if isinstance(product, str) else product["@id"]
        purl = _named(identity)
        parts = [] if isinstance(product, str) else product.get("subcomponents") or []
        if purl.kind not in {"oci", "docker", ""}:
            yield purl
        elif _same(purl, subject):
            names = [part if isinstance(part, str) else part["@id"] for part in parts]
            yield from (map(_named, names) if names else [_Purl("", "", "")])


def _same(product: _Purl, subject: _Image) -> bool:
    if product.version.startswith("sha256:"):
        return product.version == subject.digest
    named = _repository(product.repository)
    if product.repository and (not named or named != subject.repository):
        return False
    return product.name.rpartition("/")[2] == subject.name and not product.version


def _repository(text: str) -> str:
    """Return registry and repository of a reference; "" for what is none, a path for example."""
    try:
        return parse_reference(text.rpartition("://")[2]).name
    except SettingsError:
        return ""


def _named(text: str) -> _Purl:
    """Read what must name something: a pattern without a name would match every package."""
    if not (purl := _purl(text)).name:
        raise SettingsError(f"{text!r} in an OpenVEX document names no package", hint="correct it")
    return purl


def _purl(text: str) -> _Purl:
    """Read ``pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS``; any other text is a product's name."""
    if not text.startswith("pkg:"):
        return _Purl("", text, "")
    whole, _, qualifiers = text.removeprefix("pkg:").partition("#")[0].partition("?")
    repository = parse_qs(qualifiers).get("repository_url", [""])[0]
    kind, _, rest = whole.partition("/")
    head, _, last = rest.rpartition("/")
    name, _, version = last.partition("@")
    name, head = unquote(name), unquote(head)
    if head and kind not in _NAME_ONLY:
        name = f"{head}{':' if kind == 'maven' else '/'}{name}"
    return _Purl(kind, name, unquote(version), repository)


def _last(subject: str) -> str:
    return subject.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _literal(text: str) -> str:
    """Return a shell pattern that matches nothing but ``text``."""
    return "".join(_GLOB.get(character, character) for character in text)
