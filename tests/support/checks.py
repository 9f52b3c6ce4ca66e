"""Small makers of core facts, for tests that read as sentences."""

from __future__ import annotations

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.record import Check, RunRecord, Source
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome

START = "2026-11-23T10:00:00+00:00"


def proof(amount: int = 1) -> tuple[Evidence, ...]:
    return (Evidence("requests", amount, "httpx", "0.28.1", START),)


def finding(outcome: Outcome = Outcome.PASSED, amount: int = 1) -> Finding:
    met = {Outcome.PASSED: True, Outcome.FAILED: False}.get(outcome)
    rules = (Rule("status", "== 200", "200" if met else "500", met),) if met is not None else ()
    return Finding(outcome, "status == 200", "an answer", proof(amount), "look at the log", rules)


def check(  # noqa: PLR0913 - a maker of test data: each call names the one or two that matter
    name: str = "a",
    outcome: Outcome = Outcome.PASSED,
    *,
    kind: Kind = Kind.SMOKE,
    gate: Gate = Gate.BLOCK,
    amount: int = 1,
    skipped: str | None = None,
) -> Check:
    return Check(
        id=f"tests/test_{name}.py::test_{name}",
        name=name,
        kind=kind,
        stage=kind.stage,
        gate=gate,
        finding=finding(outcome, amount),
        duration_s=0.25,
        source=Source(f"tests/test_{name}.py", 3),
        skipped=skipped,
    )


def record(*checks: Check, complete: bool = True, started: str = START) -> RunRecord:
    return RunRecord(
        run_id="run-1",
        started=started,
        expected=Expected(tuple(item.id for item in checks)),
        checks=checks,
        complete=complete,
        finished=started if complete else "",
        duration_s=1.5,
    )
