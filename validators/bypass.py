"""An emergency bypass: a gate opened by a person, for a reason, until a moment. Never a green."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bypass:
    """Who opened a gate without evidence, why, and for how long.

    ``by`` is the person's name and ``arn`` the identity that it comes from, both as AWS recorded
    them; ``since`` and ``expires`` are ISO 8601 in UTC.
    """

    by: str
    arn: str
    reason: str
    expires: str
    since: str

    def __str__(self) -> str:
        return f"bypassed by {self.by} until {self.expires}: {self.reason}"

    def to_json(self) -> dict[str, str]:
        """Return the record's form of this bypass."""
        return {
            "by": self.by,
            "arn": self.arn,
            "reason": self.reason,
            "expires": self.expires,
            "since": self.since,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Bypass:
        """Read `to_json`'s form."""
        return cls(
            by=str(data["by"]),
            arn=str(data["arn"]),
            reason=str(data["reason"]),
            expires=str(data["expires"]),
            since=str(data["since"]),
        )
