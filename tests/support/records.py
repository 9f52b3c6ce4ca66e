"""Run records for tests: any valid one by hypothesis, and small ones by hand."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from greenroom.validators.bypass import Bypass
from greenroom.validators.evidence import Evidence, proves
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.record import Check, RunRecord, Source
from greenroom.validators.result import Level, Location, Package, Result, Severity, State
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage
from greenroom.validators.waiver import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable

AT = "2026-11-23T00:53:12+00:00"

HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "</script><script>document.title = 'owned'</script>",
    "</style><img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "javascript:document.title='owned'",
    "' onmouseover='document.title=1",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "<!-- --> ]]> <![CDATA[ &amp; &#0;",
    "\u202egnp.exe\u202c \u2066isolated\u2069 zero\u200bwidth",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\x08 nul\x00",
    "lone \ud800 surrogate \udfff and \uffff",
    "line\r\nbreak\u2028separator\ttab",
    "$(touch /tmp/owned) `id` 'quote' \"double\"",
    "",
    " ",
)
"""Texts that a careless document would run, hide or fail on."""


def texts() -> st.SearchStrategy[str]:
    """Any text, lone surrogates and control characters included, and the hostile ones."""
    anything = st.text(st.characters(exclude_categories=()), max_size=30)
    return st.one_of(st.sampled_from(HOSTILE), anything).map(_as_read_back)


def _as_read_back(text: str) -> str:
    """Join what JSON cannot tell apart: two surrogates that make one character."""
    joined: str = json.loads(json.dumps(text))
    return joined


def seconds() -> st.SearchStrategy[float]:
    """A duration, as exact as a record keeps it."""
    return st.integers(0, 10**11).map(lambda micro: round(micro / 10**6, 6))


def evidence() -> st.SearchStrategy[Evidence]:
    """One thing that was examined, perhaps none of it."""
    amounts = st.integers(0, 10**9)
    return st.builds(Evidence, texts(), amounts, texts(), texts(), st.just(AT))


def rules() -> st.SearchStrategy[Rule]:
    """One rule: met, missed or not observed."""
    return st.builds(Rule, texts(), texts(), texts(), st.sampled_from((True, False, None)))


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """A finding that may exist: one that passed has evidence and no miss."""
    proof = draw(st.lists(evidence(), max_size=2).map(tuple))
    held = tuple(draw(st.lists(rules(), max_size=3)))
    may_pass = proves(proof) and all(rule.met for rule in held)
    outcomes = set(Outcome) if may_pass else set(Outcome) - {Outcome.PASSED}
    return Finding(
        outcome=draw(st.sampled_from(sorted(outcomes))),
        expected=draw(texts()),
        seen=draw(texts()),
        evidence=proof,
        advice=draw(texts()),
        rules=held,
        results=tuple(draw(st.lists(results(), max_size=2))),
        notes=tuple(draw(st.lists(texts(), max_size=2))),
    )


def results() -> st.SearchStrategy[Result]:
    """One result of a tool, with or without a place and a package."""
    lines = st.integers(0, 10**6)
    return st.builds(
        Result,
        id=texts(),
        message=texts(),
        level=st.sampled_from(Level),
        severity=st.sampled_from(Severity),
        tool=texts(),
        location=st.none() | st.builds(Location, texts(), lines, lines, lines),
        package=st.none() | st.builds(Package, *[texts()] * 6),
        link=texts(),
        score=st.none() | st.integers(0, 100).map(lambda tenths: tenths / 10),
        advice=texts(),
        fingerprint=texts(),
        state=st.sampled_from(State),
        why=texts(),
    )


def waivers() -> st.SearchStrategy[Waiver]:
    """A waiver with a pattern and a reason that are not blank."""
    said = texts().filter(str.strip)
    return st.builds(Waiver, said, said, st.dates(date(2020, 1, 1), date(2040, 1, 1)))


def exchanges() -> st.SearchStrategy[dict[str, Any]]:
    """A recorded request with an answer or an error."""
    headers = st.lists(st.tuples(texts(), texts()).map(list), max_size=2)
    request = st.fixed_dictionaries(
        {
            "method": texts(),
            "url": texts(),
            "headers": headers,
            "body": st.none() | texts(),
            "address": texts(),
        }
    )
    response = st.fixed_dictionaries(
        {
            "status": st.integers(100, 599),
            "headers": headers,
            "body": texts(),
            "body_bytes": st.integers(0, 10**6),
            "truncated": st.booleans(),
        }
    )
    return st.fixed_dictionaries(
        {
            "request": request,
            "response": st.none() | response,
            "error": st.none() | texts(),
            "elapsed_ms": st.floats(0, 10**6),
            "started": st.just(AT),
        }
    )


def checks() -> st.SearchStrategy[Check]:
    """Any check of any kind, outcome, gate and content."""
    return st.builds(
        Check,
        id=st.sampled_from(("a", "b", "c")) | texts(),
        name=texts(),
        kind=st.sampled_from(Kind),
        stage=st.sampled_from(Stage),
        gate=st.sampled_from(Gate),
        finding=findings(),
        duration_s=seconds(),
        source=st.builds(Source, texts(), st.integers(1, 10**6)),
        tags=st.lists(texts(), max_size=2).map(tuple),
        skipped=st.none() | texts(),
        waiver=st.none() | waivers(),
        exchanges=st.lists(exchanges(), max_size=2).map(tuple),
        log=texts(),
        worker=texts(),
    )


def deployments() -> st.SearchStrategy[dict[str, Any]]:
    """A rehearsal's timeline, its events finished or not."""
    moments = st.none() | st.floats(0, 10**5)
    event = st.fixed_dictionaries(
        {"name": texts(), "status": texts(), "start_s": moments, "end_s": moments}
    )
    shift = st.fixed_dictionaries({"at_s": st.floats(0, 10**5), "replacement": st.integers(0, 100)})
    hook = st.fixed_dictionaries({"event": texts(), "verdict": texts(), "report": texts()})
    names = ("total", "failed", "original", "replacement", "replacement_before_gate")
    return st.fixed_dictionaries(
        {
            "deployment_id": texts(),
            "status": texts(),
            "rolled_back": st.booleans(),
            "error": st.none() | st.fixed_dictionaries({"code": texts(), "message": texts()}),
            "requests": st.fixed_dictionaries(dict.fromkeys(names, st.integers(0, 10**6))),
            "events": st.lists(event, max_size=3),
            "traffic": st.lists(shift, max_size=3),
            "hooks": st.lists(hook, max_size=2),
        }
    )


def bypasses() -> st.SearchStrategy[Bypass]:
    """An emergency bypass, whatever was said in it."""
    return st.builds(Bypass, texts(), texts(), texts(), st.just(AT), st.just(AT))


def expectations() -> st.SearchStrategy[Expected]:
    """What must have run."""
    least = st.integers(0, 3)
    return st.builds(
        Expected,
        checks=st.lists(st.sampled_from(("a", "b", "c")) | texts(), max_size=2).map(tuple),
        kinds=st.dictionaries(st.sampled_from(Kind), least, max_size=2),
        stages=st.dictionaries(st.sampled_from(Stage), least, max_size=2),
    )


def records() -> st.SearchStrategy[RunRecord]:
    """Any run record that may exist, hostile text anywhere in it."""
    table = st.dictionaries(texts(), texts(), max_size=2)
    return st.builds(
        RunRecord,
        run_id=texts(),
        started=st.just(AT),
        expected=expectations(),
        checks=st.lists(checks(), max_size=3).map(tuple),
        problems=st.lists(texts(), max_size=2).map(tuple),
        complete=st.booleans(),
        finished=st.sampled_from(("", AT)),
        duration_s=seconds(),
        release=table,
        environment=table,
        deployment=st.none() | deployments(),
        reported=st.none() | table,
        bypass=st.none() | bypasses(),
    )


BYPASS = Bypass(
    by="operator",
    arn="arn:aws:sts::123456789012:assumed-role/Deployer/operator",
    reason="the payment provider is down, see INC-42",
    expires="2026-11-23T02:00:00+00:00",
    since="2026-11-23T00:00:00+00:00",
)


def check(name: str = "answers", outcome: Outcome = Outcome.PASSED, **changes: Any) -> Check:  # noqa: ANN401 - any field of a check
    """One smoke check on one request; ``changes`` replace any of its fields."""
    proof = (Evidence("requests", 1, "httpx", "0.28.1", AT),)
    seen = "status 200" if outcome is Outcome.PASSED else "status 500"
    fields: dict[str, Any] = {
        "id": f"tests/test_api.py::test_{name.replace(' ', '_')}",
        "name": name,
        "kind": Kind.SMOKE,
        "stage": Stage.ENVIRONMENT,
        "gate": Gate.BLOCK,
        "finding": Finding(outcome, "status 200", seen, proof),
        "duration_s": 0.012,
        "source": Source("tests/test_api.py", 7),
    }
    return Check(**(fields | changes))


def record(checks: Iterable[Check] = (), **changes: Any) -> RunRecord:  # noqa: ANN401 - any field of a record
    """One finished run of ``checks``, all of them expected; ``changes`` replace any field."""
    done = tuple(checks)
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "started": AT,
        "expected": Expected(checks=tuple(item.id for item in done)),
        "checks": done,
        "complete": True,
        "finished": "2026-11-23T00:55:21+00:00",
        "duration_s": 129.0,
        "release": {"application": "trivia-api", "revision": "4f1c2ab"},
        "environment": {"command": "pytest suites"},
    }
    return RunRecord(**(fields | changes))
