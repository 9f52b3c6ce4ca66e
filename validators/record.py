"""The run record: the single source of which terminal, documents and reporters are views.

Written as JSON (``greenroom.run/1``; its JSON Schema is shipped, ``greenroom schema run``).
A record that was never finished has ``complete: false`` and never ships.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from greenroom.validators.bypass import Bypass
from greenroom.validators.errors import RecordError, SettingsError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding
from greenroom.validators.verdict import Decision, Expected, Result, decide
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict
from greenroom.validators.waiver import Waiver

SCHEMA = "greenroom.run/1"
_IDENTITY = ("revision", "image")
"""The keys of ``release`` that must agree between the parts of one run."""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, SettingsError)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a check is written: a path relative to the root folder, and a line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this place."""
        return {"file": self.file, "line": self.line}


@dataclass(frozen=True, slots=True)
class Check:
    """One check with its finding.

    ``skipped`` is the reason of a check that was skipped or expected to fail (its outcome is
    *inconclusive*); ``waiver`` is the active waiver that covers it, if any. ``exchanges`` are
    redacted requests and responses as JSON objects; ``log`` is the redacted tail of its output.
    """

    id: str
    name: str
    kind: Kind
    stage: Stage
    gate: Gate
    finding: Finding
    duration_s: float
    source: Source
    tags: tuple[str, ...] = ()
    skipped: str | None = None
    waiver: Waiver | None = None
    exchanges: tuple[dict[str, Any], ...] = ()
    log: str = ""
    worker: str = ""

    @property
    def outcome(self) -> Outcome:
        """The finding's outcome."""
        return self.finding.outcome

    @property
    def result(self) -> Result:
        """What the verdict needs to know of this check."""
        return Result(
            id=self.id,
            name=self.name,
            kind=self.kind,
            stage=self.stage,
            gate=self.gate,
            finding=self.finding,
            source=str(self.source),
            skipped=self.skipped,
            waiver=self.waiver,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this check."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind.value,
            "stage": self.stage.value,
            "gate": self.gate.value,
            "outcome": self.outcome.value,
            "finding": self.finding.to_json(),
            "evidence": [item.to_json() for item in self.finding.evidence],
            "duration_s": round(self.duration_s, 6),
            "source": self.source.to_json(),
            "tags": list(self.tags),
            "skipped": self.skipped,
            "waiver": self.waiver.to_json() if self.waiver else None,
            "exchanges": list(self.exchanges),
            "log": self.log,
            "worker": self.worker,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Check:
        """Read `to_json`'s form."""
        evidence = tuple(Evidence.from_json(item) for item in data["evidence"])
        waiver = data.get("waiver")
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            kind=Kind(data["kind"]),
            stage=Stage(data["stage"]),
            gate=Gate(data["gate"]),
            finding=Finding.from_json(Outcome(data["outcome"]), data["finding"], evidence),
            duration_s=float(data["duration_s"]),
            source=Source(str(data["source"]["file"]), int(data["source"]["line"])),
            tags=tuple(map(str, data.get("tags", ()))),
            skipped=data.get("skipped"),
            waiver=Waiver.from_json(waiver) if waiver else None,
            exchanges=tuple(data.get("exchanges", ())),
            log=str(data.get("log", "")),
            worker=str(data.get("worker", "")),
        )


@dataclass(frozen=True)
class RunRecord:
    """A whole run. Times are ISO 8601 in UTC; ``finished`` is empty until it is.

    ``release`` says what was validated (revision, image, application, event, ...); ``environment``
    on what (greenroom, python, pytest, platform, command); ``deployment`` is a rehearsal's or a
    hook's timeline, where there is one; ``reported`` is what was told to whom, where it is known.
    ``bypass`` is the emergency bypass that opened the gate instead of checks: such a run is a
    problem in itself and never ships.
    """

    run_id: str
    started: str
    expected: Expected
    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()
    complete: bool = False
    finished: str = ""
    duration_s: float = 0.0
    release: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    deployment: dict[str, Any] | None = None
    reported: dict[str, Any] | None = None
    bypass: Bypass | None = None

    def decision(self) -> Decision:
        """Return the verdict on what is recorded, and on nothing else; computed once."""
        return self._decided

    @cached_property
    def _decided(self) -> Decision:
        return decide(
            self.expected,
            tuple(check.result for check in self.checks),
            problems=(*_bypassed(self), *self.problems),
            complete=self.complete,
        )

    @property
    def verdict(self) -> Verdict:
        """The verdict of `decision`."""
        return self.decision().verdict

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object, the verdict and its reasons included."""
        decision = self.decision()
        return {
            "schema": SCHEMA,
            "verdict": decision.verdict.value,
            "reasons": [reason.text for reason in decision.reasons],
            "complete": self.complete,
            "run_id": self.run_id,
            "started": self.started,
            "finished": self.finished,
            "duration_s": round(self.duration_s, 6),
            "blocking": [reason.to_json() for reason in decision.reasons],
            "rules": [rule.to_json() for rule in decision.rules],
            "problems": list(self.problems),
            "expected": self.expected.to_json(),
            "release": dict(self.release),
            "environment": dict(self.environment),
            "deployment": self.deployment,
            "reported": self.reported,
            "bypass": self.bypass.to_json() if self.bypass else None,
            "checks": [check.to_json() for check in self.checks],
        }

    def dumps(self) -> str:
        """Return the record as JSON text, a line for each field and each check.

        Lone surrogates stay escaped, so it is valid UTF-8.
        """
        fields = self.to_json()
        checks = ",\n  ".join(map(_compact, fields.pop("checks")))
        lines = [f"{json.dumps(name)}: {_compact(value)}" for name, value in fields.items()]
        return "{\n " + ",\n ".join([*lines, f'"checks": [\n  {checks}\n ]']) + "\n}\n"

    @classmethod
    def from_json(cls, data: object) -> RunRecord:
        """Read a record and hold it to its word; raises `RecordError`.

        The recorded verdict must be the one its checks lead to: a record that says *ship* on checks
        that do not is refused, so a file edited by hand or cut short cannot open a gate.
        """
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            seen = data.get("schema") if isinstance(data, dict) else type(data).__name__
            raise RecordError(
                f"not a run record: schema is {seen!r}",
                hint=f"expected a JSON object with schema {SCHEMA!r}",
            )
        try:
            bypass = data.get("bypass")
            record = cls(
                run_id=str(data["run_id"]),
                started=str(data["started"]),
                expected=Expected.from_json(data["expected"]),
                checks=tuple(Check.from_json(item) for item in data["checks"]),
                problems=tuple(map(str, data["problems"])),
                complete=data["complete"] is True,
                finished=str(data["finished"]),
                duration_s=float(data["duration_s"]),
                release=dict(data["release"]),
                environment=dict(data["environment"]),
                deployment=data.get("deployment"),
                reported=data.get("reported"),
                bypass=Bypass.from_json(bypass) if bypass is not None else None,
            )
            recorded = Verdict(data["verdict"])
        except _MALFORMED as error:
            raise RecordError(
                f"the run record is malformed: {type(error).__name__}: {error}",
                hint="compare it with `greenroom schema run`",
            ) from error
        if recorded is not record.verdict:
            raise RecordError(
                f"the run record says {recorded.words!r}, but its checks say "
                f"{record.verdict.words!r}",
                hint="the file was edited or written by another version; run the suite again",
            )
        return record

    @classmethod
    def loads(cls, text: str | bytes) -> RunRecord:
        """Read a record from JSON text; raises `RecordError`."""
        try:
            data = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise RecordError(
                f"the run record is not JSON: {error}", hint="it may have been cut short"
            ) from error
        return cls.from_json(data)


_compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode
"""One encoder for all: `json.dumps` would make one for each check."""


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def merge(records: dict[str, RunRecord]) -> RunRecord:
    """Join named records (artifact stage, hooks, shards) into one; each name prefixes its checks.

    The merged run ships only if every part does, and all parts speak of the same release.
    """
    if not records or not all(name.strip() for name in records):
        raise RecordError(
            "no named run record to merge", hint="give at least one, each with a name"
        )
    parts = sorted(records.values(), key=lambda part: part.started)
    return replace(
        parts[0],
        run_id="+".join(part.run_id for part in records.values()),
        expected=Expected.merged({name: part.expected for name, part in records.items()}),
        checks=tuple(
            replace(check, id=f"{name}::{check.id}")
            for name, part in records.items()
            for check in part.checks
        ),
        problems=(*_problems_of_parts(records), *_other_releases(records)),
        complete=all(part.complete for part in parts),
        finished=max(part.finished for part in parts),
        duration_s=sum(part.duration_s for part in parts),
        release={key: value for part in parts for key, value in part.release.items()},
        deployment=next((part.deployment for part in parts if part.deployment), None),
        bypass=next((part.bypass for part in parts if part.bypass), None),
    )


def _problems_of_parts(records: dict[str, RunRecord]) -> list[str]:
    """Keep each part's problems, and what its own minimums missed: another part cannot stand in."""
    return [
        f"{name}: {problem}"
        for name, part in records.items()
        for problem in (*_bypassed(part), *part.problems, *part.decision().shortfalls)
    ]


def _bypassed(part: RunRecord) -> list[str]:
    return [str(part.bypass)] if part.bypass else []


def _other_releases(records: dict[str, RunRecord]) -> list[str]:
    """Name what differs: checks of one image say nothing of another."""
    problems = []
    for key in _IDENTITY:
        seen = {name: part.release[key] for name, part in records.items() if key in part.release}
        if len(set(seen.values())) > 1:
            named = ", ".join(f"{name} has {value}" for name, value in seen.items())
            problems.append(f"the parts are of different releases: {key}: {named}")
    return problems
