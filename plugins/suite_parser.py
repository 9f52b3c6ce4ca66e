"""A suite file's text to a `Suite`; every error names its place.

Grammar (``?`` optional; `greenroom.plugins.suite_checks` has that of a check)::

    version:   1
    name:      TEXT
    stage:     artifact | environment             ? environment
    target:    URL                                ? the settings' target
    tls:       {ca, client_cert, client_key, insecure}   ? the settings' [tls]
    when:      {VARIABLE: TEXT | [TEXT, …] | {not: …}, …}  ?
    defaults:  {timeout, max_body, headers, retry, answered_by, auth}  ?
    checks:    [CHECK, …]                         or
    checks_from: artifact | environment           the checks of that table of the settings

Variables may stand in target, path, headers, bodies, and in expected texts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.suite_checks import CheckReader
from greenroom.plugins.suite_defaults import read_defaults
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_model import Defaults, HttpCheck, StepsCheck, Suite
from greenroom.plugins.suite_when import unmet
from greenroom.plugins.suite_yaml import Document
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.revision import AnsweredBy
    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_model import Check
    from greenroom.plugins.suite_table import TableDocument
    from greenroom.plugins.suite_variables import Variables
    from greenroom.plugins.suite_yaml import Entry, Node

SUITE_KEYS = (
    *("version", "name", "stage", "target", "tls", "when", "defaults", "checks", "checks_from"),
)
TABLES = {"artifact": "static.ruff", "environment": "smoke.health"}
"""Tables of the settings that hold checks, each with a check to try."""


def parse_suite(  # noqa: PLR0913 - a suite's text, and the world around it
    text: str,
    path: Path,
    contracts: Contracts,
    variables: Variables,
    target: str | None,
    *,
    tables: Mapping[str, TableDocument] | None = None,
) -> Suite:
    """Read a suite's ``text``; raises a `SettingsError` with all that is wrong with its checks.

    ``path`` is how errors name the file, ``contracts`` its schemas, ``target`` the address to use
    where the suite gives none, ``tables`` what ``checks_from`` can name.
    """
    document = Document(path, text)
    parser = _Parser(Fields(document, variables, contracts), contracts, tables or {})
    return parser.suite(document.read(), target)


def proven(suite: Suite, proof: AnsweredBy) -> Suite:
    """Return the suite whose checks require ``proof`` where they require none of their own."""
    checks = [
        replace(check, answered_by=proof)
        if isinstance(check, HttpCheck | StepsCheck) and check.answered_by is None
        else check
        for check in suite.checks
    ]
    return replace(suite, checks=tuple(checks))


class _Parser:
    def __init__(
        self, fields: Fields, contracts: Contracts, tables: Mapping[str, TableDocument]
    ) -> None:
        self._fields = fields
        self._contracts = contracts
        self._tables = tables

    def suite(self, node: Node, target: str | None) -> Suite:
        fields = self._fields
        found = fields.mapping(node, "the suite", SUITE_KEYS)
        fields.whole(fields.required(found, "version", node, "the suite"), "version", 1, 1)
        name = fields.text(fields.required(found, "name", node, "the suite"), "name")
        stage = None
        if "stage" in found:
            stage = fields.choice(Stage, found["stage"].value, "stage")
        defaults = Defaults()
        if "defaults" in found:
            defaults = read_defaults(fields, found["defaults"].value)
        own = self._target(found["target"].value) if "target" in found else None
        reader = CheckReader(fields, self._contracts, defaults, stage)
        checks = self._listed(found, node, reader)
        if "when" in found and (why := unmet(fields, found["when"].value)):
            checks = tuple(replace(check, unmet=why) for check in checks)
        asks = any(isinstance(check, HttpCheck | StepsCheck) for check in checks)
        address = own or self._given_target(node, target, needed=asks)
        return Suite(
            name=name,
            stage=stage or Stage.ENVIRONMENT,
            target=address,
            checks=checks,
            own_target=own is not None,
            tls=self._tls(found["tls"].value, address) if "tls" in found else None,
        )

    def _tls(self, node: Node, target: str) -> Tls:
        from greenroom.plugins.suite_client_tls import read_suite_tls  # noqa: PLC0415 - few suites

        return read_suite_tls(self._fields, node, self._contracts.files.folder, target)

    def _listed(
        self, found: dict[str, Entry], node: Node, reader: CheckReader
    ) -> tuple[Check, ...]:
        if "checks_from" not in found:
            return reader.checks(self._fields.required(found, "checks", node, "the suite"))
        if "checks" in found:
            entry = found["checks_from"]
            raise self._fields.error(entry.place, "the suite has checks and checks_from")
        named = found["checks_from"].value
        name = self._fields.text(named, "checks_from")
        if name not in TABLES:
            known = ", ".join(TABLES)
            raise self._fields.error(named.place, f"there is no table {name!r}", f"use: {known}")
        if name not in self._tables:
            raise self._fields.error(
                named.place,
                f"the settings have no checks in [{name}]",
                f"write [{name}.{TABLES[name]}] with its keys in greenroom.toml: "
                "a suite without checks proves nothing",
            )
        table = self._tables[name]
        contracts = table.contracts or self._contracts
        fields = Fields(table, self._fields.variables, contracts)
        return replace(reader, fields=fields, contracts=contracts).checks(table.read())

    def _given_target(self, suite: Node, given: str | None, *, needed: bool) -> str:
        if given is None and not needed:
            return ""
        if given is None:
            hint = "give `target:` here, or --greenroom-target URL, or GREENROOM_TARGET"
            raise self._fields.error(suite.place, "the suite has no target", hint)
        if problem := _target_problem(given):
            hint = "correct --greenroom-target, GREENROOM_TARGET or the settings"
            raise self._fields.error(suite.place, f"the settings' target {problem}", hint)
        return given.rstrip("/")

    def _target(self, node: Node) -> str:
        target = self._fields.filled(node, "target")
        if problem := _target_problem(target):
            raise self._fields.error(
                node.place, f"target {problem}", "for example: http://127.0.0.1:8080"
            )
        return target.rstrip("/")


def _target_problem(target: str) -> str:
    if is_function(target):
        return _function_problem(target)
    try:
        url = urlsplit(target)
        host, _ = url.hostname, url.port
    except ValueError as error:
        return f"is not a URL: {error}"
    if url.scheme not in {"http", "https"} or not host:
        return "must be an http:// or https:// URL with a host, or lambda://FUNCTION:VERSION"
    if url.username is not None or url.query or url.fragment:
        return "must have no user, query or fragment (credentials go to headers, as ${secret.X})"
    return "" if target.isprintable() and " " not in target else "holds blanks"


def _function_problem(target: str) -> str:
    try:
        parse_function(target)
    except SettingsError as error:
        return f"is wrong: {error}: {error.hint}"
    return ""
