"""A suite file's text to a `Suite`; every error names its place.

Grammar (``?`` optional; see `greenroom.plugins.suite_expect` for ``expect``)::

    version:   1
    name:      TEXT
    stage:     artifact | environment             ? environment
    target:    URL                                ? the settings' target
    defaults:  {timeout, max_body, headers, retry, answered_by}  ?
    checks:    [CHECK, …]                         or
    checks_from: artifact                         the checks of that table of the settings
    CHECK    = {name, tags?, kind?, gate?, timeout?, max_body?, retry?, answered_by?, http, expect}
             | {name, tags?, kind?, gate?, timeout?, WORK, expect?}
    WORK     = one of the keys of `greenroom.plugins.suite_kinds`
    http     = {METHOD: PATH, headers?, json? | body?, follow_redirects?, at?: each-target}
    METHOD   = get | head | post | put | patch | delete | options
    answered_by = {header: NAME | json: JSONPATH, equals?: TEXT}    without equals: the release's
    retry    = {attempts?, delay?, on?: [connect | 502 | 503 | 504, …]}

A tag that is the name of a kind (``smoke``) gives the check's kind. Variables may stand in target,
path, headers, bodies, and in expected texts.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.suite_expect import read_expect
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_kinds import KINDS
from greenroom.plugins.suite_model import (
    RETRIED,
    Defaults,
    HttpCheck,
    Retry,
    Suite,
    WorkCheck,
)
from greenroom.plugins.suite_request import joined, read_answered_by, read_headers, read_request
from greenroom.plugins.suite_yaml import Document, Mapping, Scalar
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Gate, Kind, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping as Mapping_
    from pathlib import Path

    from greenroom.plugins.revision import AnsweredBy
    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_kinds import CheckKind
    from greenroom.plugins.suite_model import Expect
    from greenroom.plugins.suite_table import TableDocument
    from greenroom.plugins.suite_variables import Variables
    from greenroom.plugins.suite_yaml import Entry, Node

SUITE_KEYS = ("version", "name", "stage", "target", "defaults", "checks", "checks_from")
DEFAULT_KEYS = ("timeout", "max_body", "headers", "retry", "answered_by")
CHECK_KEYS = (
    *("name", "tags", "kind", "gate", "timeout", "max_body", "retry", "answered_by"),
    *("http", "expect"),
)
WORK_KEYS = ("name", "tags", "kind", "gate", "timeout", *KINDS, "expect")
TABLES = ("artifact",)
"""Tables of the settings that hold checks."""
RETRY_KEYS = ("attempts", "delay", "on")
ATTEMPTS_MOST = 10
RESERVED_TAGS = frozenset(
    {"filterwarnings", "gate", "parametrize", "skip", "skipif", "stage", "usefixtures", "xfail"}
    | {"xdist_group"}
)
"""Names of markers that change how pytest runs a test: a check cannot be skipped by a tag."""
_OTHER_KINDS = frozenset({"load", "alarm", "monitor"})
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DEFAULT_KIND = {Stage.ARTIFACT: Kind.UNIT, Stage.ENVIRONMENT: Kind.INTEGRATION}


def parse_suite(  # noqa: PLR0913 - a suite's text, and the world around it
    text: str,
    path: Path,
    contracts: Contracts,
    variables: Variables,
    target: str | None,
    *,
    tables: Mapping_[str, TableDocument] | None = None,
) -> Suite:
    """Read a suite's ``text``; raises a `SettingsError` with all that is wrong with its checks.

    ``path`` is how errors name the file, ``contracts`` its schemas, ``target`` the address to use
    where the suite gives none, ``tables`` what ``checks_from`` can name.
    """
    document = Document(path, text)
    parser = _Parser(Fields(document, variables), contracts, tables or {})
    return parser.suite(document.read(), target)


def proven(suite: Suite, proof: AnsweredBy) -> Suite:
    """Return the suite whose checks require ``proof`` where they require none of their own."""
    checks = [
        replace(check, answered_by=proof)
        if isinstance(check, HttpCheck) and check.answered_by is None
        else check
        for check in suite.checks
    ]
    return replace(suite, checks=tuple(checks))


class _Parser:
    def __init__(
        self, fields: Fields, contracts: Contracts, tables: Mapping_[str, TableDocument]
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
            defaults = self._defaults(found["defaults"].value)
        own = self._target(found["target"].value) if "target" in found else None
        checks = self._listed(found, node, defaults, stage)
        asks = any(isinstance(check, HttpCheck) for check in checks)
        return Suite(
            name=name,
            stage=stage or Stage.ENVIRONMENT,
            target=own or self._given_target(node, target, needed=asks),
            checks=checks,
            own_target=own is not None,
        )

    def _listed(
        self, found: dict[str, Entry], node: Node, defaults: Defaults, stage: Stage | None
    ) -> tuple[HttpCheck | WorkCheck, ...]:
        if "checks_from" not in found:
            listed = self._fields.required(found, "checks", node, "the suite")
            return self._checks(listed, defaults, stage)
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
                f"write [{name}.static.ruff] with its keys in greenroom.toml: "
                "a suite without checks proves nothing",
            )
        table = self._tables[name]
        fields = Fields(table, self._fields.variables)
        parser = _Parser(fields, self._contracts, {})
        return parser._checks(table.read(), defaults, stage)

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

    def _defaults(self, node: Node) -> Defaults:
        found = self._fields.mapping(node, "defaults", DEFAULT_KEYS)
        return self._merged(Defaults(), found)

    def _merged(self, defaults: Defaults, found: dict[str, Entry]) -> Defaults:
        """Return ``defaults`` with what ``found`` says otherwise."""
        fields = self._fields
        if "timeout" in found:
            seconds = fields.seconds(found["timeout"].value, "timeout")
            defaults = replace(defaults, timeout_s=seconds)
        if "max_body" in found:
            octets = fields.octets(found["max_body"].value, "max_body")
            defaults = replace(defaults, max_body=octets)
        if "retry" in found:
            defaults = replace(defaults, retry=self._retry(found["retry"].value))
        if "headers" in found:
            headers = joined(defaults.headers, read_headers(self._fields, found["headers"].value))
            defaults = replace(defaults, headers=headers)
        if "answered_by" in found:
            proof = read_answered_by(fields, found["answered_by"].value)
            defaults = replace(defaults, answered_by=proof)
        return defaults

    def _retry(self, node: Node) -> Retry:
        fields = self._fields
        found = fields.mapping(node, "retry", RETRY_KEYS)
        retry = Retry(attempts=3)
        if "attempts" in found:
            attempts = fields.whole(found["attempts"].value, "attempts", 1, ATTEMPTS_MOST)
            retry = replace(retry, attempts=attempts)
        if "delay" in found:
            retry = replace(retry, delay_s=fields.seconds(found["delay"].value, "delay"))
        if "on" in found:
            listed = fields.items(found["on"].value, "on")
            retry = replace(retry, on=frozenset(map(self._retried, listed)))
        return retry

    def _retried(self, node: Node) -> str:
        raw = node.raw if isinstance(node, Scalar) else ""
        if raw not in RETRIED:
            raise self._fields.error(
                node.place,
                f"cannot retry on {raw!r}: only transport is tried again, never a wrong answer",
                f"use any of: {', '.join(sorted(RETRIED))}",
            )
        return raw

    def _checks(
        self, node: Node, defaults: Defaults, stage: Stage | None
    ) -> tuple[HttpCheck | WorkCheck, ...]:
        checks: list[HttpCheck | WorkCheck] = []
        problems: list[SettingsError] = []
        for item in self._fields.items(node, "checks"):
            try:
                check = self._check(item, defaults, stage)
                self._distinct(check, checks, item)
            except SettingsError as error:
                problems.append(error)
            else:
                checks.append(check)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise SettingsError("\n".join(problem.explain() for problem in problems))
        return tuple(checks)

    def _distinct(
        self, check: HttpCheck | WorkCheck, others: list[HttpCheck | WorkCheck], node: Node
    ) -> None:
        for other in others:
            if other.name == check.name:
                raise self._fields.error(
                    node.place,
                    f"a check named {check.name!r} stands in line {other.line} already",
                    "give each check a name of its own",
                )

    def _check(self, node: Node, defaults: Defaults, stage: Stage | None) -> HttpCheck | WorkCheck:
        self._refuse_other_kinds(node)
        keys = [entry.key for entry in node.entries] if isinstance(node, Mapping) else []
        named = [key for key in keys if key in KINDS]
        if len(named) > 1 or (named and "http" in keys):
            several = ", ".join([*named, *(["http"] if "http" in keys else [])])
            raise self._fields.error(node.place, f"one check, but several kinds: {several}")
        if named:
            return self._work_check(node, KINDS[named[0]], stage)
        return self._http_check(node, defaults, stage or Stage.ENVIRONMENT)

    def _work_check(self, node: Node, kind: CheckKind, stage: Stage | None) -> WorkCheck:
        fields = self._fields
        found = fields.mapping(node, f"a check of {kind.key}", _keys_of(kind))
        tags = self._tags(found["tags"].value) if "tags" in found else ()
        timeout_s = kind.timeout_s
        if "timeout" in found:
            timeout_s = fields.seconds(found["timeout"].value, "timeout")
        expect = found["expect"].value if "expect" in found else None
        return WorkCheck(
            name=self._name(fields.required(found, "name", node, "the check")),
            line=node.place.line,
            kind=self._kind(found, tags, kind.kind),
            gate=self._gate(found.get("gate")),
            tags=tags,
            stage=stage or kind.stage,
            timeout_s=timeout_s,
            work=kind.read(fields, found[kind.key].value, expect),
        )

    def _http_check(self, node: Node, defaults: Defaults, stage: Stage) -> HttpCheck:
        fields = self._fields
        found = fields.mapping(node, "the check", CHECK_KEYS)
        own = self._merged(defaults, found)
        tags = self._tags(found["tags"].value) if "tags" in found else ()
        return HttpCheck(
            name=self._name(fields.required(found, "name", node, "the check")),
            line=node.place.line,
            kind=self._kind(found, tags, _DEFAULT_KIND[stage]),
            gate=self._gate(found.get("gate")),
            tags=tags,
            request=read_request(fields, fields.required(found, "http", node, "the check"), own),
            expect=self._expect(found.get("expect"), node),
            timeout_s=own.timeout_s,
            max_body=own.max_body,
            retry=own.retry,
            answered_by=own.answered_by,
        )

    def _expect(self, entry: Entry | None, check: Node) -> Expect:
        if entry is None or (isinstance(entry.value, Mapping) and not entry.value.entries):
            raise self._fields.error(
                check.place if entry is None else entry.place,
                "the check expects nothing",
                "a check that expects nothing proves nothing: give expect: {status: 200}",
            )
        return read_expect(self._fields, entry.value, self._contracts)

    def _gate(self, entry: Entry | None) -> Gate:
        return Gate.BLOCK if entry is None else self._fields.choice(Gate, entry.value, "gate")

    def _refuse_other_kinds(self, node: Node) -> None:
        for entry in node.entries if isinstance(node, Mapping) else ():
            if entry.key in _OTHER_KINDS:
                raise self._fields.error(
                    entry.place,
                    f"this version of Greenroom has no {entry.key!r} checks in suite files",
                    f"kinds of check: http, {', '.join(KINDS)}",
                )

    def _name(self, node: Node) -> str:
        name = self._fields.text(node, "name")
        if "::" in name:
            raise self._fields.error(node.place, "a check's name cannot hold '::'")
        return name

    def _tags(self, node: Node) -> tuple[str, ...]:
        tags = []
        for item in self._fields.items(node, "tags"):
            tag = self._fields.text(item, "a tag")
            if not _TAG.fullmatch(tag) or tag in RESERVED_TAGS:
                raise self._fields.error(
                    item.place,
                    f"{tag!r} cannot be a tag",
                    f"letters, digits, - and _; not: {', '.join(sorted(RESERVED_TAGS))}",
                )
            tags.append(tag)
        return tuple(tags)

    def _kind(self, found: dict[str, Entry], tags: tuple[str, ...], default: Kind) -> Kind:
        if "kind" in found:
            return self._fields.choice(Kind, found["kind"].value, "kind")
        named = sorted({Kind(tag) for tag in tags if tag in set(Kind)})
        if len(named) > 1:
            raise self._fields.error(
                found["tags"].value.place,
                f"the tags name {len(named)} kinds: {', '.join(named)}",
                "say which it is with `kind:`",
            )
        return named[0] if named else default


def _keys_of(kind: CheckKind) -> tuple[str, ...]:
    return tuple(key for key in WORK_KEYS if key == kind.key or key not in KINDS)


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
