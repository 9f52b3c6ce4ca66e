"""An emergency bypass: a gate opened by a person, for a reason, until a moment. Never a green.

Who asked for it and when is what AWS recorded, never what the request says of itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import lifecycle_event

if TYPE_CHECKING:
    from greenroom.validators.lifecycle import LifecycleEvent


LONGEST = timedelta(hours=24)
"""How long a bypass may hold after it was made."""

SHORTEST_REASON = 10
"""The least number of characters of a reason."""

_SLACK = timedelta(minutes=5)  # between the writer's clock and AWS'
_KEYS = frozenset({"reason", "expires", "event"})
_NAME = r"(?P<name>[\w+=,.@-]+)"
_USER = re.compile(
    rf"arn:[\w-]+:(iam::\d+:user/([!-~]*/)?|sts::\d+:federated-user/){_NAME}", re.ASCII
)
_SESSION = re.compile(rf"arn:[\w-]+:sts::\d+:assumed-role/(?P<role>[\w+=,.@-]+)/{_NAME}", re.ASCII)
_LETTER = re.compile("[A-Za-z]")
_MACHINE = re.compile(
    r"i-[0-9a-f]+"  # an EC2 instance
    r"|[0-9a-f]{32}"  # a task of ECS
    r"|AWSCodeBuild(-.*)?|CodeDeployHook_.*|GitHubActions.*"
    r"|(boto(core|3)?|aws-?cli)-session-?\d*|aws-(go-)?sdk-.*",
    re.IGNORECASE,
)
"""Session names that services and SDKs give by themselves."""


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


@dataclass(frozen=True, slots=True)
class NoBypass:
    """The gate decides as usual; ``why`` a bypass that is there does not count, empty for none."""

    why: str = ""

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wrote, with what AWS itself recorded of the writing.

    ``value`` is JSON: ``{"reason": text, "expires": ISO 8601 with a zone, "event": name}``, the
    event being optional. ``arn`` and ``modified`` (an aware time) are not the writer's to choose.
    """

    value: str
    arn: str
    modified: datetime


def judge(request: Request, *, event: LifecycleEvent | None, now: datetime) -> Bypass | NoBypass:
    """Return the bypass, if it holds ``now`` for a hook at ``event`` (None: not known)."""
    try:
        asked = _parse(request.value)
        by = person(request.arn)
        _holds(asked, request.modified, now)
        _is_for(asked.event, event)
    except SettingsError as refused:
        return NoBypass(str(refused))
    return Bypass(
        by=by,
        arn=request.arn,
        reason=asked.reason,
        expires=asked.expires.astimezone(UTC).isoformat(timespec="seconds"),
        since=request.modified.astimezone(UTC).isoformat(timespec="seconds"),
    )


def person(arn: str) -> str:
    """Return the name of the person in an identity's ARN; raises `SettingsError` for no person.

    A person is an IAM user, a federated user, or the session name of an assumed role that is not
    one of those that AWS' services and SDKs give: sign-in and ``sts:RoleSessionName`` name people.
    """
    user = _USER.fullmatch(arn)
    if user is not None:
        return user["name"]
    session = _SESSION.fullmatch(arn)
    if session is None or session["role"].startswith("AWSServiceRoleFor"):
        raise SettingsError(f"its author is no person: {arn or 'AWS names none'}")
    if _MACHINE.fullmatch(session["name"]) or not _LETTER.search(session["name"]):
        raise SettingsError(f"its author is a machine's session, no person: {arn}")
    return session["name"]


@dataclass(frozen=True, slots=True)
class _Asked:
    reason: str
    expires: datetime
    event: str


def _parse(value: str) -> _Asked:
    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise SettingsError("its value is not JSON") from error
    if not isinstance(data, dict) or not all(isinstance(item, str) for item in data.values()):
        raise SettingsError("its value is not a JSON object of texts")
    if unknown := sorted(set(data) - _KEYS):
        raise SettingsError(f"it has an unknown key: {', '.join(unknown)}")
    reason = data.get("reason", "").strip()
    if sum(map(str.isalnum, reason)) < SHORTEST_REASON or not reason.isprintable():
        raise SettingsError(
            f"it has no reason of at least {SHORTEST_REASON} letters or digits on one line"
        )
    return _Asked(reason, _moment(data.get("expires", "")), data.get("event", ""))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"its expiry is {text!r}, no time of ISO 8601") from error
    if moment.tzinfo is None:
        raise SettingsError(f"its expiry is {text!r}, without a zone such as Z")
    return moment


def _holds(asked: _Asked, modified: datetime, now: datetime) -> None:
    if asked.expires <= now:
        raise SettingsError(f"it expired at {asked.expires.isoformat()}")
    if asked.expires - min(modified, now) > LONGEST + _SLACK:
        hours = LONGEST // timedelta(hours=1)
        raise SettingsError(
            f"it expires at {asked.expires.isoformat()}, more than {hours} h after it was made"
        )


def _is_for(wanted: str, event: LifecycleEvent | None) -> None:
    if not wanted:
        return
    meant = lifecycle_event(wanted, "the bypass' event")
    if event is None:
        raise SettingsError(f"it is for {meant.value}, and this hook's event is not known")
    if meant is not event:
        raise SettingsError(f"it is for {meant.value}, and this is {event.value}")
