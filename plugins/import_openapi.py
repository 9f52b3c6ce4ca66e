"""A suite from an OpenAPI document, 3.0 or 3.1: one check for each operation.

Values come from ``example``, ``examples``, ``default`` and ``enum``, else from the schema's type
and format. A path parameter without any of them names something that only the user knows: it
becomes a variable of the settings. Expected is the first success that the document gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.plugins.import_model import (
    Draft,
    Imported,
    Tally,
    UnwritableError,
    distinct,
    readable,
    tags_of,
)
from greenroom.plugins.import_openapi_answer import expected_of
from greenroom.plugins.import_openapi_request import Asking, Parts
from greenroom.plugins.import_references import refuse_references
from greenroom.plugins.import_schemas import as_sent, with_nulls
from greenroom.plugins.import_vault import Vault
from greenroom.plugins.mock_schemas import Schemas, modern
from greenroom.plugins.suite_request import METHODS
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_file import Source

_VERSIONS = ("3.0.", "3.1.")
_UNKNOWN_METHODS = ("trace", "query")


def import_openapi(source: Source) -> Imported:
    """Return the checks of a document's operations; raises `SettingsError` where it has none."""
    content = source.content
    version = str(content["openapi"])
    if not version.startswith(_VERSIONS):
        raise source.error(f"OpenAPI 3.0 and 3.1 are read, not {readable(version)}")
    refuse_references(source)
    if version.startswith("3.0"):
        content = modern(with_nulls(content))
    schemas = Schemas(source.path, content)
    sent = Schemas(source.path, as_sent(content))
    reader = _Reader(content, schemas, sent, Vault(real=False), Tally())
    drafts = tuple(reader.drafts())
    tally = reader.tally
    if not drafts and not tally.skipped:
        raise source.error("the document has no operation", "give its `paths` some methods")
    if not drafts:
        reasons = "; ".join(f"{', '.join(what)}: {why}" for why, what in tally.skipped.items())
        raise source.error("none of its operations can be written", reasons)
    if isinstance(content.get("webhooks"), dict) and content["webhooks"]:
        tally.note("webhooks are requests that the service sends: there are no checks of them")
    info = content.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    name = readable(str(title or "")) or "api"
    secrets, settings = reader.vault.secrets, reader.vault.settings
    target = _address(content)[0]
    return Imported(name, f"OpenAPI {readable(version)}", target, drafts, tally, secrets, settings)


@dataclass(frozen=True, slots=True)
class _Reader:
    content: dict[str, Any]
    schemas: Schemas
    sent: Schemas
    vault: Vault
    tally: Tally

    def drafts(self) -> Iterator[Draft]:
        """Yield the checks in the document's order; what cannot be one is told."""
        names: set[str] = set()
        paths = self.content.get("paths")
        for path in paths if isinstance(paths, dict) else ():
            item, at = self.schemas.follow(["paths", path])
            if path.startswith("x-") or not isinstance(item, dict):
                continue
            for method in (*METHODS, *_UNKNOWN_METHODS):
                if not isinstance(item.get(method), dict):
                    continue
                shown = readable(f"{method.upper()} {path}")
                try:
                    with self.vault.attempt():
                        draft = self._draft(method, path, [*at, method])
                except UnwritableError as error:
                    self.tally.skip(str(error), shown)
                except SettingsError as error:
                    self.tally.skip(f"a schema that cannot be used: {error}", shown)
                else:
                    yield replace(draft, name=distinct(shown, names))

    def _draft(self, method: str, path: str, at: list[str]) -> Draft:
        if method in _UNKNOWN_METHODS:
            raise UnwritableError("methods that a suite has not")
        operation = self._value(at)
        parts = Parts(self.sent, self.vault, readable(f"{method.upper()} {path}"))
        asking = Asking(parts, self.content, at)
        expected = expected_of(self.schemas, at, method)
        base = self._base(operation, self._value(at[:-1]))
        for note in asking.notes():
            self.tally.note(f"{parts.where}: {note}")
        return Draft(
            name="",
            method=method,
            path=asking.path(base, path),
            expect=expected.expect,
            headers=asking.headers(),
            content=asking.content(),
            tags=tags_of(method, "contract"),
            schema=expected.schema,
        )

    def _base(self, operation: dict[str, Any], item: dict[str, Any]) -> str:
        """Return the path of the server that an operation is asked at."""
        origin, base = _address(self.content)
        for holder in (operation, item):
            if isinstance(holder.get("servers"), list) and holder["servers"]:
                other, own = _address(holder)
                if other not in {"", origin}:
                    raise UnwritableError(f"asked at another server: {other}")
                return own
        return base

    def _value(self, at: list[str]) -> dict[str, Any]:
        value, _ = self.schemas.follow(at)
        return value if isinstance(value, dict) else {}


def _address(holder: dict[str, Any]) -> tuple[str, str]:
    """Return origin and path of the first server; nothing is known of a relative one's origin."""
    servers = holder.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = str(first.get("url", "")) if isinstance(first, dict) else ""
    variables = first.get("variables") if isinstance(first, dict) else None
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        value = variable.get("default", "") if isinstance(variable, dict) else ""
        url = url.replace(f"{{{name}}}", str(value))
    try:
        split = urlsplit(url)
    except ValueError:
        return "", ""
    host = split.netloc.rpartition("@")[2]
    origin = f"{split.scheme}://{host}" if split.scheme in {"http", "https"} and host else ""
    return readable(origin), "/" + split.path.strip("/") if split.path.strip("/") else ""
