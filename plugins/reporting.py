"""What every waiter is told, and what became of telling it.

A reporter is one small module for each contract; all are given the same `Answer`, which is made
from the run record that the supervised suite left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.validators.vocabulary import Verdict

ACCEPTED = "accepted"
ALREADY_COMPLETED = "already completed"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision. ``succeeded`` opens the gate; it is the verdict's, but in a bypass.

    ``reasons`` are empty only for *ship*; ``link`` is where the report is (or will be); ``facts``
    are short texts for waiters that take some: ``checks`` and ``failed`` (how many), where a suite
    ran, and ``failure-type`` (CodePipeline's kind of failure), where it is not the suite's.
    """

    succeeded: bool
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    link: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of telling ``to``: the very word that was reported, and what was said to it.

    ``result`` is `ACCEPTED` (the service took it), `ALREADY_COMPLETED` (somebody was before us) or
    `ANSWERED` (the function's own answer, or the exit status). ``payload`` is what the function
    itself has to return.
    """

    to: str
    status: str
    result: str = ACCEPTED
    payload: Mapping[str, Any] | None = None


class Reporter(Protocol):
    """Answers one waiter once."""

    def report(self, answer: Answer, *, until: float) -> Told:
        """Tell it by ``until`` (monotonic seconds); raises `ServiceError` where it cannot."""
        ...
