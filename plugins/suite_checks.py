"""The checks of a suite.

Grammar (``?`` optional; see `greenroom.plugins.suite_expect` for ``expect``)::

    CHECK    = {COMMON, ASK, REQUEST}                         one request
             | {COMMON, ASK, setup?: [STEP, …], steps: [STEP, …], teardown?: [STEP, …]}
             | {COMMON, timeout?, WORK, expect?}
    COMMON   = name, tags?, kind?, gate?, when?, each?: [{COLUMN: VALUE, …} | VALUE, …], serial?
    ASK      = timeout?, max_body?, retry?, answered_by?, auth?   (`greenroom.plugins.suite_auth`)
    REQUEST  = http, expect, wait?: {for: DURATION, every?: DURATION}
    STEP     = {name?, ASK, REQUEST, capture?: {NAME: CAPTURE, …}}
    WORK     = one of the keys of `greenroom.plugins.suite_kinds`
    http     = {METHOD: PATH, headers?, BODY?, compress?: gzip, SENDING, at?: each-target}
    BODY     = json | body | form | multipart | file               (`greenroom.plugins.suite_body`)
    SENDING  = query?, cookies?, follow_redirects?, accept_encoding?, http2?        (`…_sending`)
    METHOD   = get | head | post | put | patch | delete | options
    answered_by = {header: NAME | json: JSONPATH, equals?: TEXT}    without equals: the release's
    retry    = {attempts?, delay?, on?: [connect | 502 | 503 | 504, …]}

A tag that is the name of a kind (``smoke``) gives the check's kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_defaults import merged
from greenroom.plugins.suite_expect import read_expect
from greenroom.plugins.suite_kinds import KINDS
from greenroom.plugins.suite_model import HttpCheck, Wait, WorkCheck
from greenroom.plugins.suite_request import read_request
from greenroom.plugins.suite_rows import EACH, expanded
from greenroom.plugins.suite_when import unmet
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Gate, Kind, Stage

if TYPE_CHECKING:
    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_kinds import CheckKind
    from greenroom.plugins.suite_model import Check, Defaults, Expect, StepsCheck
    from greenroom.plugins.suite_yaml import Entry, Node

COMMON_KEYS = ("name", "tags", "kind", "gate", "when", EACH, "serial")
ASK_KEYS = ("timeout", "max_body", "retry", "answered_by", "auth")
REQUEST_KEYS = ("http", "expect", "wait")
CHECK_KEYS = (*COMMON_KEYS, *ASK_KEYS, *REQUEST_KEYS)
STEPS = "steps"
WAIT_KEYS = ("for", "every")
WAIT_MOST_S = 1800.0
EVERY_LEAST_S = 0.1
RESERVED_TAGS = frozenset(
    {"filterwarnings", "gate", "parametrize", "skip", "skipif", "stage", "usefixtures", "xfail"}
    | {"xdist_group"}
)
"""Names of markers that change how pytest runs a test: a check cannot be skipped by a tag."""
_OTHER_KINDS = frozenset({"load", "alarm", "monitor"})
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DEFAULT_KIND = {Stage.ARTIFACT: Kind.UNIT, Stage.ENVIRONMENT: Kind.INTEGRATION}


@dataclass(frozen=True, slots=True)
class CheckReader:
    """Reads checks; ``defaults`` hold where they say nothing, ``stage`` is their suite's."""

    fields: Fields
    contracts: Contracts
    defaults: Defaults
    stage: Stage | None

    def checks(self, node: Node) -> tuple[Check, ...]:
        """Read a list of checks; raises one `SettingsError` with all that is wrong with them."""
        checks: list[Check] = []
        problems: list[SettingsError] = []
        for item in self.fields.items(node, "checks"):
            try:
                for one in expanded(self.fields, item):
                    check = self._check(one)
                    self._distinct(check, checks, item)
                    checks.append(check)
            except SettingsError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise SettingsError("\n".join(problem.explain() for problem in problems))
        return tuple(checks)

    def request(self, node: Node, found: dict[str, Entry], **more: Any) -> HttpCheck:  # noqa: ANN401 - fields of the check
        """Read the request of a check or step, whose keys are ``found``."""
        fields, own = self.fields, merged(self.fields, self.defaults, found)
        return HttpCheck(
            line=node.place.line,
            request=read_request(
                fields, fields.required(found, "http", node, "the check"), own, self.contracts.files
            ),
            expect=self._expect(found.get("expect"), node),
            timeout_s=own.timeout_s,
            max_body=own.max_body,
            retry=own.retry,
            answered_by=own.answered_by,
            wait=self._wait(found["wait"].value) if "wait" in found else None,
            **more,
        )

    def common(self, node: Node, found: dict[str, Entry], default: Kind) -> dict[str, Any]:
        """Read what every check has: name, kind, gate, tags, conditions."""
        fields = self.fields
        tags = self._tags(found["tags"].value) if "tags" in found else ()
        return {
            "name": self.name(fields.required(found, "name", node, "the check")),
            "kind": self._kind(found, tags, default),
            "gate": self._gate(found.get("gate")),
            "tags": tags,
            "unmet": unmet(fields, found["when"].value) if "when" in found else "",
        }

    def serial(self, found: dict[str, Entry]) -> bool:
        """Read whether the check must be alone."""
        return "serial" in found and self.fields.flag(found["serial"].value, "serial")

    def name(self, node: Node) -> str:
        """Read a name."""
        name = self.fields.text(node, "name")
        if "::" in name:
            raise self.fields.error(node.place, "a check's name cannot hold '::'")
        return name

    @property
    def default_kind(self) -> Kind:
        """The kind of a check that asks, unless it says another."""
        return _DEFAULT_KIND[self.stage or Stage.ENVIRONMENT]

    def _distinct(self, check: Check, others: list[Check], node: Node) -> None:
        for other in others:
            if other.name == check.name:
                raise self.fields.error(
                    node.place,
                    f"a check named {check.name!r} stands in line {other.line} already",
                    "give each check a name of its own",
                )

    def _check(self, node: Node) -> Check:
        self._refuse_other_kinds(node)
        keys = [entry.key for entry in node.entries] if isinstance(node, Mapping) else []
        named = [key for key in keys if key in KINDS or key in {"http", STEPS}]
        if len(named) > 1:
            several = ", ".join(named)
            raise self.fields.error(node.place, f"one check, but several kinds: {several}")
        match named:
            case ["steps"]:
                return self._steps_check(node)
            case [key] if key in KINDS:
                return self._work_check(node, KINDS[key])
        return self._http_check(node)

    def _steps_check(self, node: Node) -> StepsCheck:
        from greenroom.plugins.suite_steps import read_steps  # noqa: PLC0415 - few suites have any

        return read_steps(self, node)

    def _work_check(self, node: Node, kind: CheckKind) -> WorkCheck:
        fields = self.fields
        known = (*COMMON_KEYS[:-1], "timeout", kind.key, "expect")
        found = fields.mapping(node, f"a check of {kind.key}", known)
        timeout_s = kind.timeout_s
        if "timeout" in found:
            timeout_s = fields.seconds(found["timeout"].value, "timeout")
        expect = found["expect"].value if "expect" in found else None
        return WorkCheck(
            line=node.place.line,
            stage=self.stage or kind.stage,
            timeout_s=timeout_s,
            work=kind.read(fields, found[kind.key].value, expect),
            **self.common(node, found, kind.kind),
        )

    def _http_check(self, node: Node) -> HttpCheck:
        found = self.fields.mapping(node, "the check", CHECK_KEYS)
        common = self.common(node, found, self.default_kind)
        return self.hiding(self.request(node, found, serial=self.serial(found), **common))

    def hiding(self, check: HttpCheck) -> HttpCheck:
        """Return the check, whose credentials no output shows from now on."""
        for secret in check.request.secrets:
            self.fields.variables.redactor.add(secret)
        return check

    def _wait(self, node: Node) -> Wait:
        fields = self.fields
        found = fields.mapping(node, "wait", WAIT_KEYS)
        waited = fields.required(found, "for", node, "wait")
        wait = Wait(fields.seconds(waited, "for"))
        if wait.for_s > WAIT_MOST_S:
            raise fields.error(waited.place, f"wait is for {WAIT_MOST_S:.0f} s at most")
        if "every" in found:
            every = found["every"].value
            wait = replace(wait, every_s=fields.seconds(every, "every"))
            if wait.every_s < EVERY_LEAST_S:
                raise fields.error(every.place, "every must be 100ms or more")
        return wait

    def _expect(self, entry: Entry | None, check: Node) -> Expect:
        if entry is None or (isinstance(entry.value, Mapping) and not entry.value.entries):
            raise self.fields.error(
                check.place if entry is None else entry.place,
                "the check expects nothing",
                "a check that expects nothing proves nothing: give expect: {status: 200}",
            )
        return read_expect(self.fields, entry.value, self.contracts)

    def _gate(self, entry: Entry | None) -> Gate:
        return Gate.BLOCK if entry is None else self.fields.choice(Gate, entry.value, "gate")

    def _refuse_other_kinds(self, node: Node) -> None:
        for entry in node.entries if isinstance(node, Mapping) else ():
            if entry.key in _OTHER_KINDS:
                raise self.fields.error(
                    entry.place,
                    f"this version of Greenroom has no {entry.key!r} checks in suite files",
                    f"kinds of check: http, {STEPS}, {', '.join(KINDS)}",
                )

    def _tags(self, node: Node) -> tuple[str, ...]:
        tags = []
        for item in self.fields.items(node, "tags"):
            tag = self.fields.text(item, "a tag")
            if not _TAG.fullmatch(tag) or tag in RESERVED_TAGS:
                raise self.fields.error(
                    item.place,
                    f"{tag!r} cannot be a tag",
                    f"letters, digits, - and _; not: {', '.join(sorted(RESERVED_TAGS))}",
                )
            tags.append(tag)
        return tuple(tags)

    def _kind(self, found: dict[str, Entry], tags: tuple[str, ...], default: Kind) -> Kind:
        if "kind" in found:
            return self.fields.choice(Kind, found["kind"].value, "kind")
        named = sorted({Kind(tag) for tag in tags if tag in set(Kind)})
        if len(named) > 1:
            raise self.fields.error(
                found["tags"].value.place,
                f"the tags name {len(named)} kinds: {', '.join(named)}",
                "say which it is with `kind:`",
            )
        return named[0] if named else default
