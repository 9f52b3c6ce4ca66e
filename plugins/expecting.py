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

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from greenroom.plugins.expecting_read import read_line
from greenroom.plugins.expecting_words import operators
from greenroom.plugins.http import answer_of
from greenroom.plugins.running import scene
from greenroom.plugins.suite_model import Request
from greenroom.plugins.suite_rules import Judged, answer_rules
from greenroom.plugins.suite_run import KEEP_IT, is_unkept, left_open, redacted
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding
from greenroom.validators.http import judge_schema, judge_status
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from greenroom.plugins.expecting_words import HeaderOperators, JsonOperators, TextOperators
    from greenroom.plugins.redaction import Redactor
    from greenroom.validators.http import Violation

_ADVICE = "read the recorded answer; if it is right, correct what the test expects"


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
        compiled = read_line(scene(), "schema", self.node).contract
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
        expected = read_line(self._scene, "status", list(accepted))
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
        return self._expect("headers", {name: operators(expected)})

    def cookie(self, name: str, **expected: Unpack[HeaderOperators]) -> Self:
        """Expect something of a cookie that the answer sets; its value is not shown."""
        __tracebackhide__ = True
        return self._expect("cookies", {name: operators(expected)})

    def text(self, **expected: Unpack[TextOperators]) -> Self:
        """Expect something of the whole body, in the charset it names: ``text(contains="ok")``."""
        __tracebackhide__ = True
        return self._expect("text", operators(expected))

    def json(self, path: str, **expected: Unpack[JsonOperators]) -> Self:
        """Expect something of the values that a JSONPath selects: ``json("$.id", equals=7)``."""
        __tracebackhide__ = True
        return self._expect("json", {path: operators(expected)})

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
        described = read_line(self._scene, "openapi", value).openapi
        assert described is not None  # noqa: S101 - it was asked for
        told = described.judge(_request(self._response.request), "", self._answer)
        return self._judged(Judged(told.rules, told.notes, told.doubt))

    def snapshot(self, file: str, *, mask: Sequence[str] = ()) -> Self:
        """Expect the body that the file keeps, but for what the JSONPaths of ``mask`` select."""
        __tracebackhide__ = True
        value = {"file": file} | ({"mask": list(mask)} if mask else {})
        kept = read_line(self._scene, "snapshot", value).snapshot
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
        expected = read_line(self._scene, key, value)
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
            finding = replace(finding, advice=KEEP_IT if is_unkept(finding) else _ADVICE)
        return redacted(finding, self._scene.redactor)


def _request(sent: httpx.Request) -> Request:
    return Request(
        method=sent.method,
        path=sent.url.raw_path.decode("ascii"),
        headers=tuple(sent.headers.multi_items()),
        content=sent.content,
    )


def _source(response: httpx.Response, redactor: Redactor) -> str:
    try:
        request = response.request
    except RuntimeError:  # nobody sent one
        return ""
    return f" to {request.method} {redactor.url(str(request.url))}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
