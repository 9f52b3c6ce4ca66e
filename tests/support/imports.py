"""Imports of small documents, read back as a run of Greenroom reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.cli import main
from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_parser import parse_suite
from greenroom.plugins.suite_run import run_check
from greenroom.plugins.suite_variables import Variables
from tests.support.suites import TARGET, http_checks

if TYPE_CHECKING:
    import pytest

    from greenroom.plugins.suite_model import HttpCheck
    from greenroom.validators.finding import Finding

DATA = Path(__file__).parents[1] / "data" / "import"


class _Anything(dict[str, str]):
    """Every variable has a value: its own name, or what is given."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002 - dict's signature
        return super().get(key, key)


@dataclass(frozen=True)
class Written:
    """What an import said and wrote."""

    status: int
    said: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def whole(self) -> str:
        """All that was said and written, schemas included."""
        schemas = sorted(self.path.parent.glob("*.schemas/*"))
        return "\n".join([self.said, self.text, *(one.read_text() for one in schemas)])

    def checks(self, **values: str) -> dict[str, HttpCheck]:
        """Return the checks by their names."""
        folder = self.path.parent
        given = Variables(_Anything(values), _Anything(values), {}, Redactor())
        suite = parse_suite(self.text, self.path, Contracts(folder, folder), given, TARGET)
        return {check.name: check for check in http_checks(suite)}

    def findings(self, target: str, **values: str) -> dict[str, Finding]:
        """Run the checks against ``target``; return what was found by their names."""
        connections = Connections()
        found = {}
        for name, check in self.checks(**values).items():
            limits = Limits(check.timeout_s, check.max_body)
            with client(target, connections, Redactor(), lambda _: None, limits) as http:
                found[name] = run_check(check, target, http, Redactor(), lambda _: None)
        connections.close()
        return found


def imported(
    source: Path | object, capsys: pytest.CaptureFixture[str], folder: Path, *options: str
) -> Written:
    """Import a file, or a value as JSON, into ``folder``."""
    if not isinstance(source, Path):
        content, source = source, folder / "given.json"
        source.write_text(content if isinstance(content, str) else json.dumps(content))
    out = folder / "out.suite.yaml"
    status = main(["import", str(source), "--out", str(out), *options])
    said = capsys.readouterr()
    return Written(status, said.out + said.err, out)


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "entries": list(entries)}}


def entry(  # noqa: PLR0913 - a test gives one or two
    url: str = "https://a.example/api",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    sent: tuple[str, str] | None = None,
    status: int = 200,
    mime: str = "application/json",
    body: object = None,
    **more: Any,  # noqa: ANN401 - members of the entry
) -> dict[str, Any]:
    """Return an entry of a HAR file."""
    request: dict[str, Any] = {"method": method, "url": url}
    request["headers"] = [{"name": key, "value": value} for key, value in (headers or {}).items()]
    if sent:
        request["postData"] = {"mimeType": sent[0], "text": sent[1]}
    text = body if isinstance(body, str) else json.dumps({"ok": True} if body is None else body)
    content = {"size": len(text), "mimeType": mime, "text": text}
    response = {"status": status, "headers": [], "content": content}
    return {"request": request, "response": response, **more}


def openapi(
    operation: dict[str, Any] | None = None, path: str = "/things", **more: object
) -> dict[str, Any]:
    """Return an OpenAPI document of one GET."""
    whole = {"responses": {"200": {"description": "Done."}}, **(operation or {})}
    return {"openapi": "3.1.0", "info": {"title": "t"}, "paths": {path: {"get": whole}}, **more}


def postman(*items: dict[str, Any], **more: object) -> dict[str, Any]:
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return {"info": {"name": "p", "schema": schema}, "item": list(items), **more}


def request(
    url: object = "https://a.example/x",
    *,
    name: str = "r",
    test: str = "",
    **more: Any,  # noqa: ANN401 - members of the request
) -> dict[str, Any]:
    """Return an item of a Postman collection."""
    item: dict[str, Any] = {"name": name, "request": {"method": "GET", "url": url, **more}}
    if test:
        item["event"] = [{"listen": "test", "script": {"exec": test.splitlines()}}]
    return item
