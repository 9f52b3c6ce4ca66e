"""What a Python test expects of an answer: read and judged as the ``expect`` of a suite's check.

::

    def test_categories(target):
        answer = target.get("/api/trivia/all")
        expect(answer).status(200).json("$", length=4).schema("contracts/categories.schema.json")

Each call judges at once, and the first miss raises. In a ``with`` block all are judged, and all
misses told together at its end::

    with expect(answer) as it:
        it.status(200)
        it.header("content-type", contains="json")

Whatever was judged is recorded with the running test, met or not. An answer of which nothing was
expected makes the test *inconclusive*.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import httpx

from greenroom.plugins.http import answer_of
from greenroom.plugins.running import scene
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_expect import read_expect
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_model import Request
from greenroom.plugins.suite_rows import node_of
from greenroom.plugins.suite_rules import Judged, answer_rules
from greenroom.plugins.suite_run import left_open, redacted
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, Place
from greenroom.validators.errors import SettingsError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding
from greenroom.validators.http import judge_schema, judge_status
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self, Unpack

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.running import Scene
    from greenroom.plugins.suite_model import Expect
    from greenroom.plugins.suite_yaml import Node
    from greenroom.validators.http import Violation

_HERE = Place(1, 1)
_ADVICE = "read the recorded answer; if it is right, correct what the test expects"


Type = Literal["string", "integer", "number", "boolean", "array", "object", "null"]


class HeaderOperators(TypedDict, total=False):
    """What can be expected of a header or a cookie; all that is given must hold.

    ``matches`` is a regular expression for the whole text, ``not_`` a text or one other operator.
    """

    equals: str
    one_of: Sequence[str]
    none_of: Sequence[str]
    contains: str
    matches: str
    not_: str | dict[str, str]
    exists: bool


class TextOperators(TypedDict, total=False):
    """What can be expected of a body's text: what can be of a header, and its length."""

    equals: str
    one_of: Sequence[str]
    none_of: Sequence[str]
    contains: str
    matches: str
    not_: str | dict[str, str]
    length: int | str


class JsonOperators(TypedDict, total=False):
    """What can be expected of the values that a JSONPath selects; each of them must meet it all.

    ``length`` and ``count`` take a number or a comparison (``">= 1"``), ``between`` two numbers.
    """

    equals: Any
    one_of: Sequence[Any]
    none_of: Sequence[Any]
    contains: Any
    unordered: Sequence[Any]
    matches: str
    type: Type
    at_least: float
    at_most: float
    between: tuple[float, float]
    length: int | str
    count: int | str
    not_: Any
    exists: bool


def expect(response: httpx.Response) -> Expecting:
    """Return what judges ``response``, of the target or of any other httpx client."""
    if not isinstance(response, httpx.Response):
        raise TypeError(f"expect takes an httpx.Response, not {type(response).__name__}")
    return Expecting(response)


def contract(path: str, *, remote: Sequence[str] = ()) -> Contract:
    """Return the JSON Schema in the file ``path``, which starts at the test's folder.

    It may refer to documents of the ``remote`` hosts.
    """
    return Contract(path, tuple(remote))


@dataclass(frozen=True, slots=True)
class Contract:
    """A JSON Schema that answers and values are judged by; it is read when it is first needed."""

    path: str
    remote: tuple[str, ...] = ()

    def verify(self, value: Any) -> Finding:  # noqa: ANN401 - a response, or a JSON value
        """Judge an answer's body, or a JSON value, and record it; raises unless it is valid."""
        __tracebackhide__ = True
        if isinstance(value, httpx.Response):
            return expect(value).schema(self).finding
        here = scene()
        rule = judge_schema(self.path, self.violations(value))
        proof = Evidence("JSON values", 1, "jsonschema", "", _now())
        finding = Finding.judged((rule,), (proof,), advice="correct the value, or its contract")
        return here.recording.verify(redacted(finding, here.redactor))

    def violations(self, value: Any) -> tuple[Violation, ...]:  # noqa: ANN401 - a JSON value
        """Return the ways in which a JSON value breaks the schema, at most 100; none: valid."""
        compiled = _read(scene(), "schema", self.node).contract
        assert compiled is not None  # noqa: S101 - it was asked for
        return compiled.violations(value)

    @property
    def node(self) -> dict[str, Any]:
        """How a suite would say it."""
        return {"file": self.path} | ({"remote": list(self.remote)} if self.remote else {})


class Expecting:
    """Judges one answer; every method expects one thing of it, and returns the same object."""

    def __init__(self, response: httpx.Response) -> None:
        response.read()
        self._response = response
        self._scene = scene()
        self._answer = answer_of(response)
        size = f"response of {len(self._answer.body):,} bytes"
        what = f"{size}{_source(response, self._scene.redactor)}"
        self._evidence = Evidence(what, 1, "httpx", httpx.__version__, _now())
        self._all = Judged(())
        self._together = False
        self._scene.recording.unjudged[self] = what

    @property
    def finding(self) -> Finding:
        """What has been judged so far."""
        return self._found(self._all)

    def status(self, *accepted: int | str) -> Self:
        """Expect one of these status codes or classes: ``status(200)``, ``status("2xx", 404)``."""
        __tracebackhide__ = True
        expected = _read(self._scene, "status", list(accepted))
        return self._judged(Judged((judge_status(expected.status, self._answer),)))

    def time(self, limit: str) -> Self:
        """Expect the last byte within a time: ``time("< 500ms")``."""
        __tracebackhide__ = True
        return self._expect("time", limit)

    def size(self, limit: str) -> Self:
        """Expect a size of the body, decompressed: ``size("< 64KiB")``."""
        __tracebackhide__ = True
        return self._expect("size", limit)

    def header(self, name: str, **expected: Unpack[HeaderOperators]) -> Self:
        """Expect something of a header: ``header("content-type", contains="json")``."""
        __tracebackhide__ = True
        return self._expect("headers", {name: _operators(expected)})

    def cookie(self, name: str, **expected: Unpack[HeaderOperators]) -> Self:
        """Expect something of a cookie that the answer sets; its value is not shown."""
        __tracebackhide__ = True
        return self._expect("cookies", {name: _operators(expected)})

    def text(self, **expected: Unpack[TextOperators]) -> Self:
        """Expect something of the whole body, in the charset it names: ``text(contains="ok")``."""
        __tracebackhide__ = True
        return self._expect("text", _operators(expected))

    def json(self, path: str, **expected: Unpack[JsonOperators]) -> Self:
        """Expect something of the values that a JSONPath selects: ``json("$.id", equals=7)``."""
        __tracebackhide__ = True
        return self._expect("json", {path: _operators(expected)})

    def schema(self, schema: str | Contract) -> Self:
        """Expect the body to be valid by a JSON Schema: a path from the test's folder."""
        __tracebackhide__ = True
        return self._expect("schema", schema.node if isinstance(schema, Contract) else schema)

    def openapi(self, document: str, *, operation: str = "", request: bool = True) -> Self:
        """Expect request and answer to be as an OpenAPI document says.

        ``operation`` is the one that was meant; without ``request`` the answer alone is judged.
        """
        __tracebackhide__ = True
        given = {"document": document, "request": request}
        value = given | ({"operation": operation} if operation else {})
        described = _read(self._scene, "openapi", value).openapi
        assert described is not None  # noqa: S101 - it was asked for
        told = described.judge(_request(self._response.request), "", self._answer)
        return self._judged(Judged(told.rules, told.notes, told.doubt))

    def snapshot(self, file: str, *, mask: Sequence[str] = ()) -> Self:
        """Expect the body that the file keeps, but for what the JSONPaths of ``mask`` select."""
        __tracebackhide__ = True
        value = {"file": file} | ({"mask": list(mask)} if mask else {})
        kept = _read(self._scene, "snapshot", value).snapshot
        assert kept is not None  # noqa: S101 - it was asked for
        met = all(rule.met for rule in self._all.rules)
        return self._judged(Judged((kept.judge(self._answer, met=met),)))

    def __enter__(self) -> Self:
        self._together = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record what was judged; raise if there was a miss, unless the block itself raised."""
        __tracebackhide__ = True
        self._together = False
        if not self._all.rules:
            return
        if error is None:
            self._scene.recording.verify(self.finding)
        else:
            self._scene.recording.findings.append(self.finding)

    def _expect(self, key: str, value: object) -> Self:
        __tracebackhide__ = True
        expected = _read(self._scene, key, value)
        notes = expected.contract.notes if expected.contract is not None else ()
        return self._judged(Judged(tuple(answer_rules(expected, self._answer)), notes))

    def _judged(self, told: Judged) -> Self:
        __tracebackhide__ = True
        self._scene.recording.unjudged.pop(self, None)
        self._all = Judged(
            tuple(dict.fromkeys((*self._all.rules, *told.rules))),
            tuple(dict.fromkeys((*self._all.notes, *told.notes))),
            self._all.doubt or told.doubt,
        )
        if not self._together:
            self._scene.recording.verify(self._found(told))
        return self

    def _found(self, told: Judged) -> Finding:
        finding = Finding.judged(told.rules, (self._evidence,), notes=told.notes)
        if told.doubt and len(finding.misses) == 1:
            finding = left_open(finding)
        elif finding.outcome is not Outcome.PASSED:
            finding = replace(finding, advice=_ADVICE)
        return redacted(finding, self._scene.redactor)


class _Call(Document):
    """A call in Python as a document: its errors have no place but the caller's."""

    __slots__ = ()

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        del place
        return SettingsError(message, hint=hint)


def _read(where: Scene, key: str, value: object) -> Expect:
    """Read one line of what a suite's ``expect`` can hold; raises `SettingsError`."""
    fields = _fields(where)
    assert fields.contracts is not None  # noqa: S101 - they were given
    return read_expect(fields, _node({key: value}), fields.contracts)


def _fields(where: Scene) -> Fields:
    variables = Variables({}, {}, {}, where.redactor)
    writing = where.redactor if where.snapshots else None
    contracts = _contracts(where.folder, where.root, writing)
    return Fields(_Call(where.folder, ""), variables, contracts)


@functools.cache
def _contracts(folder: Path, root: Path, snapshots: Redactor | None) -> Contracts:
    """Return the contracts of the tests of a folder, each compiled once."""
    return Contracts(folder, root, snapshots)


def _operators(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operators by their own names; ``not`` is a word of Python's."""
    return {name.removesuffix("_"): value for name, value in given.items()}


def _request(sent: httpx.Request) -> Request:
    return Request(
        method=sent.method,
        path=sent.url.raw_path.decode("ascii"),
        headers=tuple(sent.headers.multi_items()),
        content=sent.content,
    )


def _node(value: object) -> Node:
    """Return a JSON value as a node; raises `TypeError` and `ValueError` for what is none."""
    return node_of(json.loads(json.dumps(value, allow_nan=False)), _HERE)


def _source(response: httpx.Response, redactor: Redactor) -> str:
    try:
        request = response.request
    except RuntimeError:  # nobody sent one
        return ""
    return f" to {request.method} {redactor.url(str(request.url))}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
