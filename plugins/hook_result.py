"""What became of one hook event, as the log and the messages tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.reporting import Answer, Told
    from greenroom.validators.bypass import Bypass

_LONGEST_FACT = 2_048
_NOTE = 60  # bytes of the note on what was left out
_AROUND = 4  # bytes of its quotes, and of what stands between two
_WIDEST = 12  # bytes of one character, as JSON that is ASCII writes it


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long the suite, the report and the whole hook took; None where there was none."""

    suite: float | None = None
    report: float | None = None
    hook: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookResult:
    """One decision: what was answered to whom, about what, and on what it rests.

    ``told`` is None where nobody could be told. ``checks`` and ``failed`` count the record's
    checks, None without a record. ``errors`` are what went wrong beside the verdict, such as an
    event that somebody else had completed with another verdict; ``bypass_refused`` says why a
    bypass that is there did not count. ``notes`` are other facts of the way to the answer.
    """

    answer: Answer
    told: Told | None = None
    event: str = ""
    application: str = ""
    deployment: str = ""
    execution_id: str = ""
    ending: str = ""
    exit_status: int | None = None
    record: str = ""
    build: str = ""
    bypass: Bypass | None = None
    bypass_refused: str = ""
    checks: int | None = None
    failed: int | None = None
    seconds: Seconds = field(default_factory=Seconds)
    errors: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The very word that the waiter was told; empty where nobody could be."""
        return self.told.status if self.told else ""

    @property
    def level(self) -> str:
        """What the line is worth.

        ERROR where something went wrong beside the verdict, WARN for a gate that was opened
        unchecked (a bypass, a rollback, a first deployment), else INFO.
        """
        if self.errors or self.told is None:
            return "ERROR"
        unchecked = self.answer.succeeded and self.answer.verdict is not Verdict.SHIP
        return "WARN" if unchecked or self.bypass or self.bypass_refused else "INFO"

    def redacted(self, redactor: Redactor) -> HookResult:
        """Return the result without any secret that ``redactor`` knows."""
        if not redactor.active:
            return self
        clean = redactor.text
        answer = replace(
            self.answer,
            reasons=tuple(map(clean, self.answer.reasons)),
            link=clean(self.answer.link),
        )
        bypass = self.bypass and replace(self.bypass, reason=clean(self.bypass.reason))
        return replace(
            self,
            answer=answer,
            bypass=bypass,
            event=clean(self.event),
            application=clean(self.application),
            record=clean(self.record),
            bypass_refused=clean(self.bypass_refused),
            errors=tuple(map(clean, self.errors)),
            notes=redactor.value(dict(self.notes)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return all there is to tell; what is not known is left out."""
        told, answer = self.told, self.answer
        facts: dict[str, Any] = {
            "verdict": answer.verdict.value,
            "reasons": list(answer.reasons),
            "event": self.event,
            "application": self.application,
            "deployment": self.deployment,
            "execution_id": self.execution_id,
            "status": self.status,
            "told": {"to": told.to, "status": told.status, "result": told.result} if told else None,
            "link": answer.link,
            "bypassed": self.bypass is not None,
            "bypass": self.bypass.to_json() if self.bypass else None,
            "bypass_refused": self.bypass_refused,
            "checks": self.checks,
            "failed": self.failed,
            "record": self.record,
            "ending": self.ending,
            "exit_status": self.exit_status,
            "build": self.build,
            "errors": list(self.errors),
            "notes": dict(self.notes),
        }
        kept = {"verdict", "reasons", "bypassed"}
        return {name: value for name, value in facts.items() if name in kept or _says(value)}


def _says(value: object) -> bool:
    return value is not None and value not in ("", [], {})


def bounded(facts: Any, reasons_bytes: int, fact_bytes: int = _LONGEST_FACT) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a result, each list cut to ``reasons_bytes``, each text to ``fact_bytes``.

    Sizes are those of ASCII JSON, so whatever encodes it later needs no more.
    """
    match facts:
        case str():
            return clip(facts, fact_bytes)
        case dict():
            return {name: bounded(item, reasons_bytes, fact_bytes) for name, item in facts.items()}
        case list() | tuple():
            return cut([str(item) for item in facts], reasons_bytes)
        case _:
            return facts


def cut(texts: Sequence[str], limit: int) -> list[str]:
    """Return the first of ``texts`` that fit in ``limit`` bytes; the last says what is left out."""
    kept: list[str] = []
    left = limit
    for number, text in enumerate(texts):
        short = clip(text, min(_LONGEST_FACT, limit))
        left -= _size(short)
        if left < 0:
            return [*kept, f"… and {len(texts) - number:,} more, in the run record"]
        kept.append(short)
    return kept


def clip(text: str, limit: int) -> str:
    """Return the beginning of ``text`` that fits in ``limit`` bytes, saying how much is left out.

    ``limit`` is at least 100.
    """
    if _size(text) <= limit:
        return text
    room = limit - _NOTE
    kept = text[:room] if _size(text[:room]) <= room + _AROUND else text[: room // _WIDEST]
    return f"{kept} … ({len(text) - len(kept):,} more characters)"


def _size(text: str) -> int:
    return len(json.dumps(text)) - 2 + _AROUND
