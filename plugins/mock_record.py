"""What a mock service's calls prove: the finding of an assertion and of a test's end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.json_diff import same
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from greenroom.plugins.mock_model import Call, Reply
    from greenroom.plugins.mock_service import MockService
    from greenroom.plugins.redaction import Redactor

_RECORDED = 8 * 1024
_LISTED = 20
_UNUSED = "let the code under test call the mock, or say expect_no_calls()"
_COUNT = "correct the code under test, or what assert_called expects of it"
_BREACH = "correct the client or the document, or say allow_breaches()"


@dataclass(slots=True)
class Served:
    """A call with what it got: a reply, or an error in its place; ``at`` is ISO 8601 in UTC."""

    call: Call
    breaches: tuple[str, ...]
    at: str
    reply: Reply | None = None
    error: str = ""
    elapsed_ms: float = 0.0

    def to_json(self, service: str, url: str, redactor: Redactor) -> dict[str, Any]:
        """Return the record's form of this exchange."""
        query = "&".join(f"{name}={value}" for name, value in self.call.query)
        target = url + self.call.path + (f"?{query}" if query else "")
        body = redactor.excerpt(self.call.body.decode("utf-8", "replace"), _RECORDED)
        return {
            "request": {
                "method": self.call.method,
                "url": redactor.url(target),
                "headers": redactor.headers(self.call.headers),
                "body": body or None,
                "address": f"mock {service}",
            },
            "response": _reply_json(self.reply, redactor) if self.reply else None,
            "error": None if self.reply else self.error or "still under way",
            "elapsed_ms": round(self.elapsed_ms, 3),
            "started": self.at,
        }


def calls_evidence(amount: int) -> Evidence:
    """Return the evidence of so many calls."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Evidence("calls to mock services", amount, "werkzeug", version("werkzeug"), at)


def matches(call: Call, wanted: dict[str, Any]) -> bool:
    """Tell whether a call has the wanted body, query parameters and headers."""
    if wanted["json"] is not ...:
        try:
            if not same(call.json, wanted["json"]):
                return False
        except ValueError:
            return False
    query = all(pair in call.query for pair in (wanted["query"] or {}).items())
    headers = (wanted["headers"] or {}).items()
    return query and all(call.header(name) == value for name, value in headers)


def judge_calls(
    service: str, route: str, times: int | None, found: tuple[Call, ...], seen: tuple[Call, ...]
) -> Finding:
    """Judge how often a route was called; a miss lists the calls seen."""
    met = len(found) == times if times is not None else bool(found)
    limit = f"== {times}" if times is not None else ">= 1"
    rule = Rule(f"calls of {route} at {service}", limit, _observed(found, seen, met=met), met=met)
    return Finding.judged((rule,), (calls_evidence(len(seen)),), advice="" if met else _COUNT)


def judge_end(service: MockService) -> Finding | None:
    """Return what is wrong with a service at its test's end, or None."""
    name, calls = service.name, service.calls
    if service.breaches and not service.breaches_allowed:
        rule = Rule(
            f"calls that break {name}'s contract", "== 0", _lines(service.breaches), met=False
        )
        return Finding.judged((rule,), (calls_evidence(len(calls)),), advice=_BREACH)
    if not service.calls_expected and calls:
        rule = Rule(f"calls of {name}", "== 0", _lines(tuple(map(str, calls))), met=False)
        return Finding.judged((rule,), (calls_evidence(len(calls)),))
    if service.calls_expected and not calls:
        seen = f"nobody called the mock service {name}"
        return Finding(Outcome.INCONCLUSIVE, f"calls of {name}", seen, advice=_UNUSED)
    if unmet := service.unmet_faults:
        seen = f"fewer calls than were told to go wrong: {', '.join(unmet)}"
        return Finding(Outcome.INCONCLUSIVE, f"the faults of {name} to be met", seen)
    return None


def _observed(found: tuple[Call, ...], seen: tuple[Call, ...], *, met: bool) -> str:
    if met:
        return str(len(found))
    return f"{len(found)}; seen: {_lines(tuple(map(str, seen))) if seen else 'no call at all'}"


def _lines(texts: tuple[str, ...]) -> str:
    more = f" … and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return f"{len(texts)}: " + "; ".join(texts[:_LISTED]) + more


def _reply_json(reply: Reply, redactor: Redactor) -> dict[str, Any]:
    text = reply.body.decode("utf-8", "replace")
    return {
        "status": reply.status,
        "headers": redactor.headers(reply.headers),
        "body": redactor.excerpt(text, _RECORDED),
        "body_bytes": len(reply.body),
        "truncated": len(text) > _RECORDED,
    }
