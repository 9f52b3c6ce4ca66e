"""A waiver: a named check may miss its expectation until a date, for a stated reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from greenroom.validators.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Waiver:
    """Waive the checks whose id or name is or matches ``check`` through the day ``expires``.

    ``check`` is a shell pattern; an id with brackets, ``test_a[x]``, can be given as it stands.
    """

    check: str
    reason: str
    expires: date

    def covers(self, check_id: str, name: str) -> bool:
        """Tell whether this waiver names the check."""
        return self.check in {check_id, name} or any(
            fnmatchcase(text, self.check) for text in (check_id, name)
        )

    def active(self, today: date) -> bool:
        """Tell whether the waiver still holds on ``today`` (its last day included)."""
        return today <= self.expires

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this waiver."""
        return {"check": self.check, "reason": self.reason, "expires": self.expires.isoformat()}

    @classmethod
    def from_json(cls, data: object, where: str = "waiver") -> Waiver:
        """Read a waiver from settings or a record; a `SettingsError` says what is missing."""
        if not isinstance(data, dict):
            raise SettingsError(f"{where}: a waiver is a table", hint="give check, reason, expires")
        if unknown := set(data) - {"check", "reason", "expires"}:
            names = ", ".join(sorted(map(str, unknown)))
            raise SettingsError(f"{where}: unknown key {names}", hint="give check, reason, expires")
        for key in ("check", "reason"):
            if not isinstance(data.get(key), str) or not data[key].strip():
                raise SettingsError(f"{where}: {key} is missing", hint=f"give {key} as a text")
        return cls(data["check"], data["reason"], _date(data.get("expires"), where))


def _date(value: object, where: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise SettingsError(
            f"{where}: expires is {value!r}, not a date", hint="give a last day as YYYY-MM-DD"
        ) from None
