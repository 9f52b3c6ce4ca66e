"""Positive evidence: what was examined, how much of it, by which tool, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was examined.

    ``amount`` counts ``what`` (3 requests, 412 packages, 1 test body): zero proves nothing.
    ``at`` is an ISO 8601 time in UTC, given by whoever observed; the core has no clock.
    """

    what: str
    amount: int
    tool: str
    version: str
    at: str

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"evidence cannot count {self.amount} {self.what}")

    def __str__(self) -> str:
        tool = f"{self.tool} {self.version}".strip()
        return f"{self.amount:,} {self.what}" + (f" ({tool})" if tool else "")

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this evidence."""
        return {
            "what": self.what,
            "amount": self.amount,
            "tool": self.tool,
            "version": self.version,
            "at": self.at,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Evidence:
        """Read `to_json`'s form."""
        return cls(
            what=str(data["what"]),
            amount=int(data["amount"]),
            tool=str(data["tool"]),
            version=str(data["version"]),
            at=str(data["at"]),
        )


_SHOWN = 5


def told(evidence: tuple[Evidence, ...]) -> str:
    """Return what was examined as one line; of many kinds the first, and how many more."""
    more = [f"and {len(evidence) - _SHOWN:,} more"] if len(evidence) > _SHOWN else []
    return ", ".join([*map(str, evidence[:_SHOWN]), *more]) or "none"


def proves(evidence: tuple[Evidence, ...]) -> bool:
    """Tell whether anything was examined at all."""
    for item in evidence:  # noqa: SIM110 - asked several times of every check; any() costs double
        if item.amount:
            return True
    return False
