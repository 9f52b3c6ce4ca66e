"""Runs one check of a suite: asks (with retries of the transport alone), then judges purely."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from greenroom.plugins.http import answer_of, below
from greenroom.plugins.http_failures import failure_of
from greenroom.plugins.revision import ADVICE, seen_revision
from greenroom.plugins.suite_model import CONNECT
from greenroom.plugins.suite_rules import UNSEEN, judged, planned
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.http import Answer, Failure
from greenroom.validators.threshold import show
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.suite_model import HttpCheck

_DESCRIBE = "describe the answer in the OpenAPI document: what it leaves open proves nothing"


@dataclass(frozen=True, slots=True)
class Observation:
    """What the last of ``attempts`` brought, at ``at`` (ISO 8601, UTC)."""

    outcome: Answer | Failure
    attempts: int
    at: str


def run_check(
    check: HttpCheck,
    target: str,
    client: httpx.Client,
    redactor: Redactor,
    sleep: Callable[[float], None] = time.sleep,
) -> Finding:
    """Return the check's finding, without any secret."""
    return redacted(asked(check, target, client, sleep)[0], redactor)


def asked(
    check: HttpCheck, target: str, client: httpx.Client, sleep: Callable[[float], None]
) -> tuple[Finding, Answer | Failure]:
    """Return the check's finding and what it is about.

    A check that waits is asked again until it passes or its time is over; the last try counts.
    """
    if check.wait is None:
        observation = observe(check, client, sleep)
        return judge(check, target, observation), observation.outcome
    begun, tries = time.monotonic(), 0
    while True:
        tries += 1
        observation = observe(check, client, sleep)
        finding = judge(check, target, observation)
        waited = time.monotonic() - begun
        if finding.outcome is Outcome.PASSED or waited + check.wait.every_s > check.wait.for_s:
            note = f"asked {tries} times in {show(waited, 's')}"
            return replace(finding, notes=(*finding.notes, note)), observation.outcome
        sleep(check.wait.every_s)


def observe(check: HttpCheck, client: httpx.Client, sleep: Callable[[float], None]) -> Observation:
    """Send the check's request until it is answered or its attempts or its time run out."""
    deadline = time.monotonic() + check.timeout_s
    attempts = 0
    while True:
        attempts += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        seen = _ask(check, client, max(deadline - time.monotonic(), 0.001))
        over = time.monotonic() + check.retry.delay_s >= deadline
        if attempts == check.retry.attempts or over or not _again(check, seen):
            return Observation(seen, attempts, at)
        sleep(check.retry.delay_s)


KEEP_IT = "write the snapshot with --greenroom-update-snapshots, read it, and keep its file"


def judge(check: HttpCheck, target: str, observation: Observation) -> Finding:
    """Judge everything the check expects of what was observed."""
    tries = f" after {observation.attempts} attempts" if observation.attempts > 1 else ""
    if isinstance(observation.outcome, Failure):
        return Finding(
            Outcome.ERROR,
            expected=f"an answer from {check.request.method} {target}{check.request.path}",
            seen=f"{observation.outcome.reason}{tries}",
            advice=observation.outcome.advice,
            rules=tuple(Rule(name, limit, UNSEEN, None) for name, limit in planned(check)),
        )
    answer = observation.outcome
    evidence = Evidence(
        what=f"response of {len(answer.body):,} bytes{_source(check, answer)}{tries}",
        amount=1,
        tool="httpx",
        version=httpx.__version__,
        at=observation.at,
    )
    told = judged(check, target, answer)
    finding = Finding.judged(told.rules, (evidence,), notes=told.notes)
    if finding.outcome is Outcome.PASSED:
        return finding
    if told.doubt and len(finding.misses) == 1:
        return left_open(finding)
    return replace(finding, advice=KEEP_IT if is_unkept(finding) else _advice(check, answer))


def is_unkept(finding: Finding) -> bool:
    """Tell whether nothing is wrong but that a snapshot could not be compared."""
    return all(rule.rule == "snapshot" and rule.met is None for rule in finding.misses)


def left_open(finding: Finding) -> Finding:
    """Return the finding where nothing was missed: the document does not say what should be."""
    return replace(finding, outcome=Outcome.INCONCLUSIVE, advice=_DESCRIBE)


def redacted(finding: Finding, redactor: Redactor) -> Finding:
    """Return the finding with every text of it redacted."""
    clean = redactor.shown
    return replace(
        finding,
        expected=clean(finding.expected),
        seen=clean(finding.seen),
        advice=clean(finding.advice),
        notes=tuple(map(clean, finding.notes)),
        rules=tuple(
            replace(
                rule,
                rule=clean(rule.rule),
                limit=clean(rule.limit),
                observed=clean(rule.observed),
            )
            for rule in finding.rules
        ),
    )


def revisions(check: HttpCheck, answer: Answer) -> str:
    """Return the revision that answered, as far as the check asks and the answer says."""
    return "" if check.answered_by is None else seen_revision(check.answered_by.named(answer))


def _source(check: HttpCheck, answer: Answer) -> str:
    return f" from {named}" if (named := revisions(check, answer)) else ""


def _ask(check: HttpCheck, client: httpx.Client, left_s: float) -> Answer | Failure:
    try:
        response = client.request(
            check.request.method,
            below(client, check.request.path),
            headers=list(check.request.headers),
            content=check.request.content,
            timeout=left_s,
            follow_redirects=check.request.follow_redirects,
            extensions=check.request.extensions,
        )
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return failure_of(error)
    return answer_of(response)


def _again(check: HttpCheck, seen: Answer | Failure) -> bool:
    """Tell whether another try is about the transport; an answer that is expected never is."""
    if isinstance(seen, Failure):
        return seen.retry and CONNECT in check.retry.on
    return str(seen.status) in check.retry.on and not check.expect.status.accepts(seen.status)


def _advice(check: HttpCheck, answer: Answer) -> str:
    if check.answered_by is not None and not check.answered_by.judge(answer).met:
        return ADVICE
    if not check.expect.status.accepts(answer.status):
        match answer.status:
            case 401 | 403:
                return "check the credentials that the suite sends"
            case 404 | 405:
                return "check the path, and that the target runs the revision you mean"
            case status if status >= 500:  # noqa: PLR2004 - HTTP's server errors
                return "the service failed: read its log for this request"
            case status if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirects
                return "request the final address, or set follow_redirects: true"
    return "read the recorded answer; if it is right, correct the suite's `expect`"
