"""The ledger that makes a hook's execution happen exactly once, however often it is delivered.

For each execution there are up to four entries, each written once and never changed:

    claim         who runs the suite, and until when it will have recorded a verdict (its lease)
    handed-over   to whom the claim passed (a build), with a lease of its own
    taken-over    which build took it: one that is run again, or started twice, does not
    verdict       what was decided; the first one stands for ever

A holder whose lease ended without a verdict has died: that is recorded as *Failed*, never a reason
for a second run. Where the entries are kept: `greenroom.plugins.hook_ledger_stores`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from greenroom.plugins.hook_ledger_stores import DynamoDbEntries, S3Entries
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_ledger_stores import Entries

Entry = TypeVar("Entry")

FAILED = "Failed"
_MOST_REASONS = 20
_LONGEST_REASON = 1000
_READABLE = 60


@dataclass(frozen=True, slots=True)
class Recorded:
    """A verdict as the ledger keeps it.

    ``status`` is the word that is reported, ``at`` an ISO 8601 time, ``by`` who decided.
    """

    succeeded: bool
    verdict: str
    reasons: tuple[str, ...]
    status: str
    at: str
    by: str

    @classmethod
    def failed(cls, reason: str, *, at: str, by: str) -> Recorded:
        """Return the verdict of an execution that proved nothing, for ``reason``."""
        return cls(
            succeeded=False,
            verdict=Verdict.COULD_NOT_DECIDE.value,
            reasons=(reason,),
            status=FAILED,
            at=at,
            by=by,
        )

    @classmethod
    def from_json(cls, text: str) -> Recorded:
        """Return the verdict in an entry; raises `ServiceError` for anything else."""
        return _parsed(text, _recorded)

    def to_json(self) -> str:
        """Return the entry: at most 20 reasons of at most 1,000 characters each."""
        return json.dumps(asdict(self.bounded()))

    def bounded(self) -> Recorded:
        """Return what of this verdict is kept."""
        reasons = [reason[:_LONGEST_REASON] for reason in self.reasons[:_MOST_REASONS]]
        more = len(self.reasons) - _MOST_REASONS
        return replace(self, reasons=(*reasons, *([f"and {more} more"] if more > 0 else [])))


class State(StrEnum):
    """What an execution's claim is to whoever asks."""

    MINE = "mine"
    """Whoever asked runs the suite; nobody else is told so."""
    HELD = "held"
    RECORDED = "recorded"


class Claim(NamedTuple):
    """The state of an execution; ``until`` is the end of the holder's lease (epoch seconds)."""

    state: State
    until: float
    recorded: Recorded | None
    owner: str


class TakenOver(NamedTuple):
    """Which build has an execution, empty where that is unknown; ``until`` as in `Claim`."""

    build: str
    until: float


class Ledger(Protocol):
    """Which delivery of an execution runs the suite, and what was decided.

    ``until`` is in monotonic seconds, leases end in epoch seconds. All raise `ServiceError` where
    the ledger gives no word by ``until``, or where it holds something that is not its own.
    """

    def claim(
        self, key: str, *, owner: str, lease_ends: float, until: float, build: str = ""
    ) -> Claim:
        """Claim the execution ``key``; the same owner is not told `State.MINE` a second time.

        ``lease_ends`` is when ``owner`` will have recorded a verdict, ``build`` in which build.
        """
        ...

    def hand_over(self, key: str, *, owner: str, lease_ends: float, until: float) -> None:
        """Pass the claim on: the next claim of ``owner`` is told `State.MINE`, once."""
        ...

    def record(self, key: str, recorded: Recorded, *, until: float) -> Recorded:
        """Record a verdict; return the one that stands, which is the first."""
        ...

    def recorded(self, key: str, *, until: float) -> Recorded | None:
        """Return the verdict, if there is one."""
        ...

    def taken_over(self, key: str, *, until: float) -> TakenOver | None:
        """Return who took over what was handed over, if anybody did."""
        ...

    def read(self, key: str, *, until: float) -> Claim | None:
        """Return the state (never `State.MINE`), or None if nobody claimed the execution."""
        ...


def open_ledger(address: str, aws: Aws) -> Ledger:
    """Return the ledger at ``s3://bucket[/prefix]`` or ``dynamodb://table``.

    Raises `SettingsError` for any other address; the place itself is first asked by `Ledger.claim`.
    """
    if found := re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", address):
        prefix = (found[2] or "").strip("/")
        return WrittenOnce(S3Entries(aws, found[1], f"{prefix}/" if prefix else ""))
    if found := re.fullmatch(r"dynamodb://([A-Za-z0-9_.-]{3,255})/?", address):
        return WrittenOnce(DynamoDbEntries(aws, found[1]))
    raise SettingsError(
        f"not a ledger's address: {address!r}",
        hint="give s3://bucket/prefix or dynamodb://table",
    )


class WrittenOnce:
    """The ledger over entries that can be written only once."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def claim(
        self, key: str, *, owner: str, lease_ends: float, until: float, build: str = ""
    ) -> Claim:
        """See `Ledger.claim`."""
        lease = _Lease(owner, lease_ends, secrets.token_hex(16), build)
        mine = self._take(key, "claim", lease, until) or self._take_over(key, lease, until)
        # Whoever could not reach the ledger in time may have recorded Failed before the claim.
        if mine and self.recorded(key, until=until) is None:
            return Claim(State.MINE, lease_ends, None, owner)
        found = self.read(key, until=until)
        if found is None:
            raise _lost("claim", key)
        return found

    def hand_over(self, key: str, *, owner: str, lease_ends: float, until: float) -> None:
        """See `Ledger.hand_over`; handing over to the same owner again changes nothing."""
        lease = _Lease(owner, lease_ends, secrets.token_hex(16))
        if self._take(key, "handed-over", lease, until):
            return
        there = self._lease(key, "handed-over", until)
        if there is None or there.owner != owner:
            raise ServiceError(
                f"the execution {key!r} was already handed over to somebody else",
                hint="let one function answer for a deployment group",
            )

    def record(self, key: str, recorded: Recorded, *, until: float) -> Recorded:
        """See `Ledger.record`."""
        self._entries.put(_name(key, "verdict"), recorded.to_json(), until=until)
        standing = self.recorded(key, until=until)
        if standing is None:
            raise _lost("verdict", key)
        return standing

    def recorded(self, key: str, *, until: float) -> Recorded | None:
        """See `Ledger.recorded`."""
        text = self._entries.get(_name(key, "verdict"), until=until)
        return None if text is None else Recorded.from_json(text)

    def taken_over(self, key: str, *, until: float) -> TakenOver | None:
        """See `Ledger.taken_over`."""
        lease = self._lease(key, "taken-over", until)
        return None if lease is None else TakenOver(lease.build, lease.ends)

    def read(self, key: str, *, until: float) -> Claim | None:
        """See `Ledger.read`."""
        recorded = self.recorded(key, until=until)
        if recorded is not None:
            return Claim(State.RECORDED, 0.0, recorded, recorded.by)
        lease = self._lease(key, "handed-over", until) or self._lease(key, "claim", until)
        return None if lease is None else Claim(State.HELD, lease.ends, None, lease.owner)

    def _take_over(self, key: str, lease: _Lease, until: float) -> bool:
        handed = self._lease(key, "handed-over", until)
        return (
            handed is not None
            and handed.owner == lease.owner
            and self._take(key, "taken-over", lease, until)
        )

    def _take(self, key: str, kind: str, lease: _Lease, until: float) -> bool:
        """Tell whether this very lease is the one that stands, whatever became of the answer."""
        self._entries.put(_name(key, kind), lease.to_json(), until=until)
        there = self._lease(key, kind, until)
        return there is not None and there.nonce == lease.nonce

    def _lease(self, key: str, kind: str, until: float) -> _Lease | None:
        text = self._entries.get(_name(key, kind), until=until)
        return None if text is None else _parsed(text, _Lease.from_fields)


@dataclass(frozen=True, slots=True)
class _Lease:
    """Who holds an execution, until when; ``nonce`` tells one claim of an owner from the next."""

    owner: str
    ends: float
    nonce: str
    build: str = ""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> _Lease:
        texts = (str(fields["nonce"]), str(fields.get("build", "")))
        return cls(str(fields["owner"]), float(fields["ends"]), *texts)

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def _recorded(fields: dict[str, Any]) -> Recorded:
    texts = {name: str(fields[name]) for name in ("verdict", "status", "at", "by")}
    if not isinstance(fields["succeeded"], bool):
        raise TypeError(f"succeeded is {fields['succeeded']!r}")
    reasons = tuple(map(str, fields["reasons"]))
    return Recorded(succeeded=fields["succeeded"], reasons=reasons, **texts)


def _parsed(text: str, parse: Callable[[dict[str, Any]], Entry]) -> Entry:
    try:
        return parse(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise ServiceError(
            f"the ledger holds an entry that is not its own: {error!r}",
            hint="give the ledger a prefix or a table that nothing else writes to",
        ) from error


def _lost(kind: str, key: str) -> ServiceError:
    return ServiceError(
        f"the ledger has no {kind} of {key!r} although it took one",
        hint="let its entries expire after days; check that it is the service that answers",
    )


def _name(key: str, kind: str) -> str:
    """Return an entry's name: readable as far as the key is, and different for every key."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", key)[:_READABLE].lstrip(".")
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:32]}/{kind}"
