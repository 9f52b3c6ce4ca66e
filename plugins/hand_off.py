"""Long gates: the suite runs in a CodeBuild project, and somebody answers whatever becomes of it.

The order leaves no hole. First a back-up is scheduled that answers at ``answer_by``; then the build
starts; then the claim passes to it. Until it has passed, the function's own lease holds: if the
function dies on the way, the next delivery finds that out. From then on the build answers, or the
event of its end, or the back-up, whichever records a verdict first.

The build runs ``greenroom hook``. It is given, as variables:

GREENROOM_HOOK_DELIVERY   the event as the function got it, without credentials
GREENROOM_HOOK_OWNER      the name under which it takes the claim over
GREENROOM_HOOK_ANSWER_BY  when its verdict has to be recorded, in epoch seconds
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError
from greenroom.plugins.hook_ledger import Claim, Recorded, State
from greenroom.plugins.hook_ledger_wait import CLOCK, LEASE_MARGIN_S, settle
from greenroom.validators.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_ledger import Ledger
    from greenroom.plugins.hook_ledger_wait import Clock

DELIVERY = "GREENROOM_HOOK_DELIVERY"
OWNER = "GREENROOM_HOOK_OWNER"
ANSWER_BY = "GREENROOM_HOOK_ANSWER_BY"
BUILD_ID = "CODEBUILD_BUILD_ID"
"""CodeBuild's own variable: which build this is."""
BACK_UP = "back-up"

_UNDER_WAY = "IN_PROGRESS"
_LONGEST_DELIVERY = 4000  # CodeBuild takes about 5,500 characters for all variables together
_CREDENTIALS = frozenset({"artifactCredentials"})
_PAUSE_S = 1.0
_TOKEN_HOLDS_S = 240.0  # five minutes, says CodeBuild; later the same start is a second build
_RETRIES = {"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 5}


@dataclass(frozen=True, slots=True)
class LongGate:
    """What is handed off.

    ``delivery`` is the event as JSON, ``function`` the ARN under which this function was invoked,
    ``role`` the role with which EventBridge Scheduler may invoke it, ``answer_by`` in epoch
    seconds.
    """

    key: str
    delivery: Mapping[str, Any]
    project: str
    function: str
    role: str
    answer_by: float

    @property
    def owner(self) -> str:
        """The name under which the build takes the claim over."""
        return f"build-{_digest(self.key)}"


@dataclass(frozen=True, slots=True)
class HandedOff:
    """A build that has the claim until ``answer_by`` (epoch seconds)."""

    build: str
    answer_by: float

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> HandedOff:
        """Return what `state` wrote; raises `SettingsError` for anything else."""
        try:
            return cls(str(state["build"]), _moment(state["answer_by"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"hookDetails hold no state of a long gate: {error!r}",
                hint="leave hookDetails to the hook",
            ) from error

    @property
    def state(self) -> dict[str, str]:
        """What an ECS hook keeps in ``hookDetails`` between invocations."""
        return {"build": self.build, "answer_by": f"{self.answer_by:.0f}"}


def hand_off(gate: LongGate, *, aws: Aws, ledger: Ledger | None, until: float) -> HandedOff:
    """Schedule the back-up, start the build, pass the claim on; by ``until`` (monotonic seconds).

    Raises `GreenroomError` where any of it failed: the caller answers Failed at once, and what was
    begun ends by itself, for the verdict is recorded.
    """
    if ledger is None:
        raise SettingsError(
            "a gate that is handed off needs a ledger",
            hint="set hook.ledger (docs/exactly-once.md)",
        )
    if not gate.role:
        raise SettingsError(
            "a gate that is handed off needs a back-up", hint="set hook.back_up_role"
        )
    delivery = json.dumps(_without_credentials(gate.delivery))
    if len(delivery) > _LONGEST_DELIVERY:
        raise SettingsError(
            f"the event has {len(delivery)} characters, too many for a build's variable",
            hint=f"keep hookDetails and UserParameters small: {_LONGEST_DELIVERY} in all",
        )
    _schedule(gate, aws, until)
    build = _start(gate, delivery, aws, until)
    ledger.hand_over(gate.key, owner=gate.owner, lease_ends=gate.answer_by, until=until)
    return HandedOff(build, gate.answer_by)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a build is given: the event, and the claim under the name ``owner``.

    ``build`` is the build itself, as CodeBuild names it; empty where it does not tell.
    """

    delivery: Mapping[str, Any]
    owner: str
    answer_by: float
    build: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Invitation | None:
        """Return it, or None outside a build that a hook started; raises `SettingsError`."""
        if DELIVERY not in environ:
            return None
        try:
            delivery = dict(json.loads(environ[DELIVERY]))
            answer_by = _moment(environ[ANSWER_BY])
            return cls(delivery, environ[OWNER], answer_by, environ.get(BUILD_ID, ""))
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"{DELIVERY} is set, but the build was not handed a gate: {error!r}",
                hint=f"leave {DELIVERY}, {OWNER} and {ANSWER_BY} to the hook",
            ) from error


def take_over(
    ledger: Ledger, key: str, invited: Invitation, *, until: float, clock: Clock = CLOCK
) -> Claim:
    """Claim in the build; waits for the function to pass the claim on, which it does last.

    Returns `State.MINE` to the first build of the execution, `State.RECORDED` where it is decided,
    and `State.HELD` where the claim is not to be had: another build took it, or the function died.
    """
    owner, ends = invited.owner, invited.answer_by
    while True:
        claim = ledger.claim(key, owner=owner, lease_ends=ends, until=until, build=invited.build)
        lost = claim.owner == owner or clock.epoch() > claim.until + LEASE_MARGIN_S
        if claim.state is not State.HELD or lost or clock.monotonic() + _PAUSE_S > until:
            return claim
        clock.sleep(_PAUSE_S)


def back_up(ledger: Ledger, key: str, *, until: float, clock: Clock = CLOCK) -> Recorded:
    """Return the verdict to report when the time is up: the recorded one, else Failed.

    Where the ledger gives no word, Failed: if a verdict was reported before, it stands anyway.
    """
    reason = "nobody gave a verdict in time: the build hangs, or was never started"
    return _ended(ledger, key, reason, until, clock)


def build_ended(  # noqa: PLR0913 - the clock is a test's
    ledger: Ledger,
    key: str,
    status: str,
    *,
    until: float,
    build: str = "",
    clock: Clock = CLOCK,
) -> Recorded | None:
    """Return the verdict to report when the build came to ``status``; None while it runs.

    A build that ended without a recorded verdict proved nothing, not even with ``SUCCEEDED``.
    ``build`` is its id or ARN. Another one may have the gate, for one event can start two builds
    and a person can start one again: then that one answers, or the back-up does.
    """
    if status == _UNDER_WAY:
        return None
    try:
        if build and _another_has_it(ledger, key, build, until, clock):
            return ledger.recorded(key, until=until)
    except ServiceError:
        return None
    return _ended(ledger, key, f"the build ended ({status}) without a verdict", until, clock)


def poll(  # noqa: PLR0913 - the clock is a test's
    handed: HandedOff, key: str, *, aws: Aws, ledger: Ledger, until: float, clock: Clock = CLOCK
) -> Recorded | None:
    """Return the verdict of a gate that was handed off, or None while its build runs.

    Where the ledger or CodeBuild gives no word by ``until``, the build counts as running until
    ``answer_by``.
    """
    late = clock.epoch() >= handed.answer_by
    try:
        recorded = ledger.recorded(key, until=until)
        if recorded is not None or late:
            return recorded or back_up(ledger, key, until=until, clock=clock)
        status = _status(handed, aws, until)
    except ServiceError:
        return back_up(ledger, key, until=until, clock=clock) if late else None
    return build_ended(ledger, key, status, until=until, build=handed.build, clock=clock)


def _another_has_it(ledger: Ledger, key: str, build: str, until: float, clock: Clock) -> bool:
    """Tell whether another build took the gate over, and may still decide it."""
    taken = ledger.taken_over(key, until=until)
    if taken is None or not taken.build or _build_id(taken.build) == _build_id(build):
        return False
    return clock.epoch() <= taken.until + LEASE_MARGIN_S


def _build_id(build: str) -> str:
    """Return ``project:number`` of a build's id or ARN."""
    return build.rpartition("/")[2]


def _ended(ledger: Ledger, key: str, reason: str, until: float, clock: Clock) -> Recorded:
    failed = Recorded.failed(reason, at=clock.stamp(), by=BACK_UP)
    return settle(ledger, key, failed, until=until)


def _status(handed: HandedOff, aws: Aws, until: float) -> str:
    """Return the build's status as CodeBuild names it."""
    answer = aws.call("codebuild", "batch_get_builds", {"ids": [handed.build]}, until=until)
    builds = answer.get("builds") or [{"buildStatus": "NOT_FOUND"}]
    return str(builds[0].get("buildStatus", _UNDER_WAY))


def _schedule(gate: LongGate, aws: Aws, until: float) -> None:
    at = datetime.fromtimestamp(gate.answer_by, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    event = {"greenroom": BACK_UP, "delivery": _without_credentials(gate.delivery)}
    members = {
        "Name": f"greenroom-{_digest(gate.key)}",
        "ClientToken": _digest(gate.key),
        "ScheduleExpression": f"at({at})",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": gate.function,
            "RoleArn": gate.role,
            "Input": json.dumps(event),
            "RetryPolicy": _RETRIES,
        },
    }
    try:
        aws.insist("scheduler", "create_schedule", members, until=until)
    except CallError as error:
        if error.code != "ConflictException":  # an earlier try was not heard: it is there
            raise


def _start(gate: LongGate, delivery: str, aws: Aws, until: float) -> str:
    """Start the build; return its id."""
    variables = {DELIVERY: delivery, OWNER: gate.owner, ANSWER_BY: f"{gate.answer_by:.0f}"}
    members = {
        "projectName": gate.project,
        "idempotencyToken": _digest(gate.key),
        "environmentVariablesOverride": [
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
        ],
    }
    soon = min(until, time.monotonic() + _TOKEN_HOLDS_S)
    answer = aws.insist("codebuild", "start_build", members, until=soon)
    return str(answer["build"]["id"])


def _without_credentials(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON without the keys that CodePipeline lends: variables are no place for secrets."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in _CREDENTIALS}
        return {key: _without_credentials(item) for key, item in kept.items()}
    return [_without_credentials(item) for item in value] if isinstance(value, list) else value


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def _moment(given: Any) -> float:  # noqa: ANN401 - whatever stands there
    """Return epoch seconds; raises `ValueError` or `TypeError` for what is no time."""
    seconds = float(given)
    if not math.isfinite(seconds):
        raise ValueError(f"{given!r} is no time")
    return seconds
