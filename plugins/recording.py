"""What one running check has found so far; the pytest item carries it, the recorder reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.validators.finding import Finding
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from greenroom.validators.evidence import Evidence


class CheckFailed(Exception):  # noqa: N818 - reads as the outcome it reports
    """A check did not pass; ``str(error)`` is the finding's whole message."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(slots=True)
class Recording:
    """Findings, redacted HTTP exchanges and whether a target's client was asked for.

    ``worked_s`` are the seconds of a check that was run ahead of its turn,
    ``own`` are the exchanges of a test's own clients, ``served`` those that mock services answered,
    ``evidence`` is what else was seen,
    ``unjudged`` the answers that something was to be expected of, by who was to judge them.
    """

    findings: list[Finding] = field(default_factory=list)
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    own: list[dict[str, Any]] = field(default_factory=list)
    served: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    unjudged: dict[object, str] = field(default_factory=dict)
    target_requested: bool = False
    worked_s: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked, seen or judged."""
        asked = self.exchanges or self.own or self.served
        return not (asked or self.findings or self.evidence)

    def verify(self, finding: Finding) -> Finding:
        """Record ``finding``; raise `CheckFailed` unless it passed."""
        __tracebackhide__ = True
        if not isinstance(finding, Finding):
            raise TypeError(f"verify takes a greenroom.Finding, not {type(finding).__name__}")
        self.findings.append(finding)
        if finding.outcome is not Outcome.PASSED:
            raise CheckFailed(finding)
        return finding


_RECORDING = pytest.StashKey[Recording]()


def recording_of(item: pytest.Item) -> Recording:
    """Return the item's recording, made at first use."""
    if (known := item.stash.get(_RECORDING, None)) is None:
        known = item.stash[_RECORDING] = Recording()
    return known
