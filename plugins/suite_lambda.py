"""Reads ``lambda:`` of a suite, and does what it says: invoke a version, and judge its answer.

Grammar (``?`` optional)::

    lambda: {function?: "NAME:VERSION" | "ARN:VERSION", event?: JSON}   ? the target's, ? {}
    expect?: {
      json?, schema?, time?         as of `greenroom.plugins.suite_expect`, about the answer
      error?: none | NAME           the errorType that the function must fail with
      version?: TEXT                what must have run, where VERSION is an alias
    }

Without ``error`` a function that fails is *error*: it gave no answer that could be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.suite_expect import read_expect
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding
from greenroom.validators.functions import NO_ERROR, judge_invocation
from greenroom.validators.http import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.function_address import FunctionVersion
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_model import Expect
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Rule
    from greenroom.validators.functions import Invocation

LAMBDA_KEYS = ("function", "event")
LAMBDA_EXPECT_KEYS = ("json", "schema", "time", "error", "version")
_OF_ANSWERS = frozenset({"json", "schema", "time"})
_SCHEME = "lambda://"
_ADVICE = "read the recorded answer and the function's log; if it is right, correct `expect`"


@dataclass(frozen=True, slots=True)
class LambdaExpect:
    """What is expected of an invocation; ``error`` is None where nothing was said about it."""

    answer: Expect | None = None
    error: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class LambdaWork:
    """A check of what a version answers to an event; ``function`` is None if it is the target's."""

    function: FunctionVersion | None
    event: object
    expect: LambdaExpect

    @property
    def alone(self) -> bool:
        """One invocation disturbs nobody."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Invoke and judge; a version that could not be invoked was not observed."""
        from greenroom.plugins.lambda_call import call  # noqa: PLC0415 - not to collect

        function = self.function or _of_target(place.site.base)
        seen = call(place.site, function, self.event, place.until)
        if seen.error and self.expect.error is None:
            raise ServiceError(
                f"the function failed: {seen.shown_error}",
                hint=f"read the log of {function.address}; if it shall fail, expect its `error`",
            )
        evidence = Evidence(
            f"answer of {len(seen.payload):,} bytes from {seen.address}, "
            f"version {seen.executed or 'not said'}",
            1,
            "lambda:InvokeFunction",
            "",
            seen.at,
        )
        finding = Finding.judged(tuple(self._rules(seen)), (evidence,))
        return finding if not finding.misses else replace(finding, advice=_ADVICE)

    def _rules(self, seen: Invocation) -> Iterator[Rule]:
        from greenroom.plugins.suite_rules import answer_rules  # noqa: PLC0415 - as above

        yield from judge_invocation(seen, self.expect.error or NO_ERROR, self.expect.version)
        if self.expect.answer is not None:
            answer = Answer(200, (), seen.payload, seen.took_s)
            yield from answer_rules(self.expect.answer, answer)


def read_lambda(fields: Fields, node: Node, expect: Node | None) -> LambdaWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    found = fields.mapping(node, "lambda", LAMBDA_KEYS)
    return LambdaWork(
        function=_function(fields, found["function"].value) if "function" in found else None,
        event=fields.json(found["event"].value) if "event" in found else {},
        expect=LambdaExpect() if expect is None else _expect(fields, expect),
    )


def _function(fields: Fields, node: Node) -> FunctionVersion:
    name = fields.filled(node, "function").removeprefix(_SCHEME)
    if "/" in name or "?" in name:
        raise fields.error(node.place, "function must be NAME:VERSION or ARN:VERSION alone")
    try:
        return parse_function(f"{_SCHEME}{name}")
    except SettingsError as error:
        raise fields.error(node.place, f"function: {error}", error.hint) from None


def _of_target(target: str) -> FunctionVersion:
    if not is_function(target):
        raise SettingsError(
            f"the target {target} is no function's version",
            hint="give the check its `function`: NAME:VERSION",
        )
    return parse_function(target)


def _expect(fields: Fields, node: Node) -> LambdaExpect:
    found = fields.mapping(node, "expect", LAMBDA_EXPECT_KEYS)
    of_answer = tuple(entry for entry in found.values() if entry.key in _OF_ANSWERS)
    return LambdaExpect(
        answer=_answer(fields, node, of_answer) if of_answer else None,
        error=_named(fields, found, "error") or None,
        version=_named(fields, found, "version"),
    )


def _named(fields: Fields, found: dict[str, Entry], key: str) -> str:
    """Return a text that is not empty, or an empty one where there is none."""
    if key not in found:
        return ""
    if not (text := fields.filled(found[key].value, key)):
        raise fields.error(found[key].value.place, f"{key} is empty")
    return text


def _answer(fields: Fields, node: Node, entries: tuple[Entry, ...]) -> Expect:
    if fields.contracts is None:
        raise fields.error(node.place, "such a check stands in a suite file")
    return read_expect(fields, Mapping(node.place, entries), fields.contracts)
