"""The gate: from a hook's event to the one answer that its waiter gets.

The same steps for every waiter and every place: may this be decided at all (rollback, bypass, first
deployment), has it been decided already (ledger), what runs (plan), does it fit (preflight, hand
off), what does it say (supervisor), tell (reporter), and only then say why (log, upload, messages).
Whatever goes wrong on the way is a reason to refuse, and the waiter is told so.

The standard library and the light parts of Greenroom only: see `greenroom.plugins.aws_process`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.bypass import active_bypass
from greenroom.plugins.gate_answers import Pending, answer_of, recorded_of, refusal
from greenroom.plugins.gate_lookups import Lookups
from greenroom.plugins.gate_place import settings_at
from greenroom.plugins.gate_plan import Occasion, make_plan
from greenroom.plugins.gate_waiters import KEY, key_of, longest_wait_s, part_in, service_of
from greenroom.plugins.hand_off import (
    HandedOff,
    LongGate,
    back_up,
    build_ended,
    hand_off,
    poll,
    take_over,
)
from greenroom.plugins.hook_events import (
    BackUpEvent,
    BuildEndedEvent,
    CodeDeployEvent,
    EcsEvent,
    EcsPauseEvent,
)
from greenroom.plugins.hook_ledger import State, open_ledger
from greenroom.plugins.hook_ledger_wait import await_verdict, settle
from greenroom.plugins.hook_secrets import hook_redactor
from greenroom.plugins.hook_settings import PASS, shell_words
from greenroom.plugins.report_ecs import state_of
from greenroom.plugins.report_ecs_pause import identified
from greenroom.plugins.reporting import Answer
from greenroom.plugins.script_event import ScriptEvent
from greenroom.plugins.suite_process import READY, Suite
from greenroom.plugins.supervisor import attempt, explained, undecided
from greenroom.validators.bypass import NoBypass
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from greenroom.plugins.deployment_facts import DeploymentFacts
    from greenroom.plugins.gate_place import Place
    from greenroom.plugins.gate_plan import Plan
    from greenroom.plugins.hook_events import Waiter
    from greenroom.plugins.hook_ledger import Claim, Ledger
    from greenroom.plugins.supervisor import Supervised
    from greenroom.validators.bypass import Bypass
    from greenroom.validators.lifecycle import LifecycleEvent

MARGIN_S = 0.5
"""How long before the end of its time a waiter has been told, or never is."""

_LEAST_RUN_S = 1.0
_LEAST_RESERVE_S = 2.0  # ending a suite and its processes takes a moment, too
_SOON_S = 5
_NAME_S = 3.0
_CLAIM_SHARE = 0.5
_LEAST_CLAIM_S = 10.0
_RESERVE_SHARE = 0.25
_AWAIT_SHARE = 0.5
_PATIENCE_SHARE = 0.25
_LONGEST_PATIENCE_S = 3.0
_LEAST_PATIENCE_S = 0.2


@dataclass(slots=True)
class Decided:
    """What the gate came to, and all that is known on the way there.

    ``result`` is the suite's, where one ran here; ``notes`` are facts for the log.
    """

    answer: Answer | Pending
    result: Supervised | None = None
    event: LifecycleEvent | None = None
    release: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    bypass: Bypass | None = None
    bypass_refused: str = ""


class Gate:
    """Decides one delivery of one hook's event, and never raises while it does.

    ``key`` is the ledger's name of what is decided, for a delivery that was handed on; empty for
    one that comes from the service, whose name is found here.
    """

    def __init__(
        self,
        hook: Waiter | ScriptEvent,
        delivery: Mapping[str, Any],
        place: Place,
        *,
        key: str = "",
    ) -> None:
        self.hook = hook
        self.place = place
        self.settings, self._wrong = settings_at(place)
        wanted = max(self.settings.reserve_s, _LEAST_RESERVE_S)
        self.reserve_s = min(wanted, place.most_reserve_s)
        self.aws = self._make_aws()
        self._delivery = delivery
        self.redactor = hook_redactor(place.root, place.environ)
        self.key = key or key_of(hook, place.function)
        self._state: Mapping[str, Any] | None = None
        self._planned: Plan | None = None
        self.lookups = self._begin_lookups() if self.aws else None
        self._decided = Decided(Pending("nothing is decided yet"))

    def decide(self) -> Decided:
        """Return what the waiter is to be told, by the end of the time for the suite."""
        return self._guarded(self._answer)

    def decide_late(self, late: BackUpEvent | BuildEndedEvent) -> Decided:
        """Return what the waiter is told when a build ended, or let its time run out.

        A verdict that is recorded is told again, which does no harm; else it is *Failed*.
        """
        return self._guarded(lambda: self._late_answer(late))

    def refuse(self, answer: Answer) -> Decided:
        """Return what the waiter of an event that makes no sense is told."""
        return self._guarded(lambda: answer)

    def _guarded(self, answer: Callable[[], Answer | Pending]) -> Decided:
        self._decided.release = dict(self.hook.release)
        try:
            self._decided.answer = self._spared(answer())
        except Exception as error:  # noqa: BLE001 - nothing at all may keep the answer from being given
            self._decided.answer = self._spared(refusal(explained(error)))
        return self._decided

    def _spared(self, answer: Answer | Pending) -> Answer | Pending:
        """Return ``answer``, unless it refuses a rollback: nobody is helped by that.

        No secret stands in what leaves here: waiters and the ledger are told no more than the log.
        """
        if isinstance(answer, Pending):
            return answer
        if not answer.succeeded and self._is_rollback():
            return self._rolling_back()
        return replace(answer, reasons=tuple(map(self.redactor.text, answer.reasons)))

    def _is_rollback(self) -> bool:
        if self.lookups is None:
            return False
        return self.lookups.is_rollback(time.monotonic() + self.reserve_s * _RESERVE_SHARE)

    def _late_answer(self, late: BackUpEvent | BuildEndedEvent) -> Answer | Pending:
        self._expect_settings()
        self._decided.event = self.hook.event or self.settings.event
        ledger, until = self.ledger(), self.suite_ends
        if isinstance(late, BuildEndedEvent):
            self._decided.notes["build"] = late.build
            recorded = build_ended(ledger, self.key, late.status, until=until, build=late.build)
        else:
            recorded = back_up(ledger, self.key, until=until)
        if recorded is None:
            return Pending("the build is under way")
        if isinstance(self.hook, EcsEvent):
            return Pending("the verdict is recorded; ECS is told when it asks again")
        return answer_of(recorded)

    @property
    def misconfigured(self) -> bool:
        """Whether the settings cannot be used."""
        return self._wrong is not None

    def _expect_settings(self) -> None:
        if self._wrong is not None:
            raise self._wrong

    @property
    def suite_ends(self) -> float:
        """When the suite's time is over (monotonic seconds): what is left is the report's."""
        nobody_to_tell = self.aws is None and isinstance(self.hook, ScriptEvent)
        return self.place.ends - (0.0 if nobody_to_tell else self.reserve_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.aws is not None:
            self.aws.close()

    def _make_aws(self) -> Aws | None:
        """Start what calls AWS, early and beside everything else, if anything will be asked."""
        settings = self.settings
        asked = settings.ledger or settings.upload or settings.notify or settings.bypass
        service = service_of(self.hook)
        if not (asked or service or settings.first_deployment == PASS):
            return None
        patience = min(self.reserve_s * _PATIENCE_SHARE, _LONGEST_PATIENCE_S)
        return Aws(
            self.place.environ,
            prepared=(service,) if service else (),
            patience_s=max(patience, _LEAST_PATIENCE_S),
        )

    def _answer(self) -> Answer | Pending:
        """Return what already stands, or what is decided now."""
        self._expect_settings()
        if isinstance(self.hook, EcsEvent):
            self._state = state_of(self.hook)
        if isinstance(self.hook, EcsPauseEvent) and self.aws is not None:
            self.hook = identified(self.hook, self.aws, until=self.suite_ends)
            self.key = key_of(self.hook, self.place.function)
        if isinstance(self.hook, EcsEvent) and self.hook.rollback:
            return self._rolling_back()
        if (bypassed := self._bypassed()) is not None:
            return bypassed
        under_way = self._state is not None and "build" in self._state
        once = self._is_shared and not under_way
        return self._next_part(self._once() if once else self._considered())

    @property
    def _is_shared(self) -> bool:
        """Whether deliveries share a verdict: whoever starts a script waits for this very run."""
        return bool(self.settings.ledger) and not isinstance(self.hook, ScriptEvent)

    def _considered(self, ledger: Ledger | None = None) -> Answer | Pending:
        """Return what settings or the suite say; ``ledger`` has this delivery's claim."""
        known = self._known_facts()
        if known is not None and known.rollback:
            return self._rolling_back()
        self._decided.event = self._event()
        if known is not None and known.first and self.settings.first_deployment == PASS:
            self._decided.notes["first_deployment"] = True
            return Answer(
                succeeded=True,
                verdict=Verdict.COULD_NOT_DECIDE,
                reasons=("a first deployment, which the settings let pass: nothing was checked",),
            )
        plan = self._plan()
        if self._state is not None and "build" in self._state:
            return self._poll(self._state)
        return self._fresh(plan, ledger)

    def _plan(self) -> Plan:
        """Return what runs, made once; raises `SettingsError`."""
        if self._planned is not None:
            return self._planned
        self._known_facts()
        self._planned = plan = make_plan(
            self.settings,
            Occasion(
                event=self._event(),
                arguments=self._arguments(),
                suites=self.place.suites,
                asks_again=isinstance(self.hook, EcsEvent),
                stage=self.hook.stage if isinstance(self.hook, EcsEvent) else "",
                release=self._decided.release,
                environ=self.place.environ,
            ),
        )
        if not self._part < len(plan.parts):
            raise SettingsError(
                f"ECS hands back part {self._part + 1} of a suite of {len(plan.parts)}",
                hint="the settings changed during the deployment; deploy again",
            )
        return plan

    def _arguments(self) -> tuple[str, ...] | None:
        given = self.place.arguments
        return shell_words(given, "GREENROOM_HOOK_ARGS") if isinstance(given, str) else given

    def _begin_lookups(self) -> Lookups:
        assert self.aws is not None  # noqa: S101 - nobody else calls it
        return Lookups(
            self.aws,
            self.hook,
            ends=self.suite_ends,
            rollback=self.place.cancel,
            unnamed=isinstance(self.hook, CodeDeployEvent) and self.settings.event is None,
            needed=bool(self.settings.events),
        )

    def _event(self) -> LifecycleEvent | None:
        """Return the lifecycle event; where suites depend on it and it is unknown, raise."""
        event = self.hook.event or self.settings.event
        if event is None and self.settings.events and self.lookups is not None:
            event = self.lookups.name(self.suite_ends)
        if event is not None:
            self._decided.release.setdefault("event", event.value)
        return event

    def _bypassed(self) -> Answer | None:
        """Return the answer of a gate that a person opened, if one did.

        Looked for before anything that could fail, for an emergency is when things do.
        """
        if not self.settings.bypass or self.aws is None:
            return None
        self._decided.event = self._event_by_then()
        found = active_bypass(
            self.settings.bypass,
            self.aws,
            event=self._decided.event,
            now=datetime.now(UTC),
            until=self.suite_ends,
        )
        if isinstance(found, NoBypass):
            self._decided.bypass_refused = found.why
            return None
        told = f"BYPASSED {str(found).removeprefix('bypassed ')}"
        answer = self._shared(
            Answer(succeeded=True, verdict=Verdict.COULD_NOT_DECIDE, reasons=(told,))
        )
        if answer.succeeded:
            self._decided.bypass = found
        else:
            self._decided.bypass_refused = "the gate had been decided before"
        return answer

    def _event_by_then(self) -> LifecycleEvent | None:
        """Return the event that a bypass may be limited to, if it is known soon."""
        event = self.hook.event or self.settings.event
        if event is None and self.lookups is not None:
            with contextlib.suppress(Exception):
                event = self.lookups.name(min(time.monotonic() + _NAME_S, self.suite_ends))
        return event

    def _shared(self, answer: Answer) -> Answer:
        """Return what stands in the ledger; a ledger out of reach keeps nobody in an emergency."""
        if not self._is_shared:
            return answer
        until = time.monotonic() + self.reserve_s * _RESERVE_SHARE
        try:
            mine = recorded_of(answer, self.place.owner)
            stands = self.ledger().record(self.key, mine, until=until)
        except ServiceError as error:
            self._decided.notes["ledger"] = str(error)
            return answer
        return answer if stands.succeeded else answer_of(stands)

    def _known_facts(self) -> DeploymentFacts | None:
        """Return the facts where the decision or the suite depends on them, None elsewhere."""
        matters = self.settings.events or self.settings.first_deployment == PASS
        if self.lookups is None or not matters:
            return None
        facts = self.lookups.facts(self.suite_ends)
        if facts is not None:
            self._decided.release = {**facts.release, **self._decided.release}
        elif self.lookups.problem:
            self._decided.notes["deployment"] = self.lookups.problem
        return facts

    def _rolling_back(self) -> Answer:
        self._decided.notes["rollback"] = True
        return Answer(
            succeeded=True,
            verdict=Verdict.COULD_NOT_DECIDE,
            reasons=("a rollback: nothing is left to decide, and a refusal would only break it",),
        )

    def _once(self) -> Answer | Pending:
        """Decide an execution that may be delivered more than once: only one delivery does.

        The claim comes before everything that another delivery could find different, such as a
        setting or a service that does not answer.
        """
        ledger = self.ledger()
        claim = self._claim(ledger)
        self._decided.notes["claim"] = claim.state.value
        if claim.state is State.MINE:
            return self._claimed(ledger)
        # A little into the reserve, so that a holder whose time was the same is known to be dead.
        until = self.suite_ends + self.reserve_s * _AWAIT_SHARE
        recorded = claim.recorded or await_verdict(
            ledger, self.key, by=self.place.owner, until=until, held=claim
        )
        with contextlib.suppress(Exception):  # for the log alone
            self._decided.event = self._event()
        if recorded is None:
            return Pending("another delivery of this event is at work, and answers", self._state)
        return answer_of(recorded)

    def _claimed(self, ledger: Ledger) -> Answer | Pending:
        """Decide and record it; whatever is raised is an answer that the others share."""
        try:
            answer = self._considered(ledger)
        except Exception as error:  # noqa: BLE001 - the claim ends with a verdict
            answer = refusal(explained(error))
        answer = self._spared(answer)
        return answer if isinstance(answer, Pending) else self._settled(ledger, answer)

    def ledger(self) -> Ledger:
        """Return the ledger; raises `SettingsError` where there is none."""
        if self.aws is None or not self.settings.ledger:
            raise SettingsError(
                "this needs a ledger", hint="set hook.ledger (docs/exactly-once.md)"
            )
        return open_ledger(self.settings.ledger, self.aws)

    def _claim(self, ledger: Ledger) -> Claim:
        # A delivery that cannot reach the ledger has to refuse, though another one may be at work:
        # it tries for long before it does.
        now = time.monotonic()
        left = self.suite_ends - now
        until = now + max(left * _CLAIM_SHARE, min(left, _LEAST_CLAIM_S))
        if self.place.invitation is not None:
            return take_over(ledger, self.key, self.place.invitation, until=until)
        lease_ends = time.time() + self.suite_ends - now + self.reserve_s * _RESERVE_SHARE
        return ledger.claim(self.key, owner=self.place.owner, lease_ends=lease_ends, until=until)

    def _settled(self, ledger: Ledger, answer: Answer) -> Answer:
        """Record the answer; return the one that stands, which may be somebody else's."""
        until = time.monotonic() + self.reserve_s * _RESERVE_SHARE
        stands = settle(ledger, self.key, recorded_of(answer, self.place.owner), until=until)
        return answer if stands.succeeded == answer.succeeded else answer_of(stands)

    @property
    def _asks_again(self) -> bool:
        """Whether the waiter invokes the hook once more after IN_PROGRESS."""
        return isinstance(self.hook, EcsEvent) and not self.place.invitation

    @property
    def _part(self) -> int:
        return part_in(self._state)

    def _fresh(self, plan: Plan, ledger: Ledger | None = None) -> Answer | Pending:
        """Run what the plan says, or hand it to somebody with more time."""
        if self._must_be_handed_off(plan):
            return self._rolling_back() if self._is_rollback() else self._hand_off(plan, ledger)
        return self._run(plan.parts[self._part])

    def _next_part(self, answer: Answer | Pending) -> Answer | Pending:
        """Return IN_PROGRESS where a part succeeded that is not the last one."""
        more = isinstance(answer, Answer) and answer.verdict is Verdict.SHIP
        if not more or not self._asks_again:
            return answer
        part, parts = self._part + 1, len(self._plan().parts)
        if part == parts:
            return answer
        return Pending(
            f"part {part} of {parts} of the suite is done", state={"part": part}, delay_s=_SOON_S
        )

    def _must_be_handed_off(self, plan: Plan) -> bool:
        """Tell whether there is too little time here; raise where nobody else could have more."""
        left = self.suite_ends - time.monotonic()
        fits = plan.budget_s is not None and plan.budget_s <= left
        if plan.hand_off and self.place.function and not self.place.invitation:
            return not fits
        if plan.budget_s is not None and not fits:
            raise SettingsError(
                f"the suite's budget of {plan.budget_s:.0f} s does not fit into the "
                f"{max(left, 0):.0f} s that are left for it",
                hint="raise the time-out, hand the suite off to a build (hand_off), or split it "
                "for an ECS hook (one_by_one)",
            )
        return False

    def _run(self, arguments: tuple[str, ...]) -> Answer:
        """Run the suite and judge its record."""
        seconds = self.suite_ends - time.monotonic()
        if seconds < _LEAST_RUN_S:
            result = undecided(
                f"only {max(seconds, 0):.1f} s are left for the suite: raise the function's "
                "time-out, or lower the reserve (GREENROOM_HOOK_RESERVE)"
            )
        else:
            result = attempt(
                lambda: self._suite(arguments),
                seconds=seconds,
                cancel=self.place.cancel,
                echo=self.place.echo,
                redactor=self.redactor,
            )
        self._decided.result = result
        return Answer(
            succeeded=result.verdict is Verdict.SHIP,
            verdict=result.verdict,
            reasons=result.reasons,
            facts={"checks": str(result.checks), "failed": str(result.failed)},
        )

    def _hand_off(self, plan: Plan, ledger: Ledger | None) -> Pending:
        """Let a build run the suite; a back-up answers if nobody else does."""
        if self.aws is None or ledger is None:
            raise SettingsError(
                "a gate that is handed off needs a ledger",
                hint="set hook.ledger (docs/exactly-once.md)",
            )
        handed = hand_off(
            LongGate(
                key=self.key,
                delivery=self._named_delivery(),
                project=plan.hand_off,
                function=self.place.function,
                role=self.settings.back_up_role,
                answer_by=time.time() + self._answer_within_s(),
            ),
            aws=self.aws,
            ledger=ledger,
            until=self.suite_ends,
        )
        self._decided.notes["build"] = handed.build
        state = {**handed.state, "part": self._part, "key": self.key}
        return Pending(f"handed off to the build {handed.build}", state)

    def _answer_within_s(self) -> float:
        """Return the time that a build has, as far as the waiter has it; raises `SettingsError`."""
        seconds, longest = self.settings.answer_within_s, longest_wait_s(self.hook)
        if seconds > longest:
            raise SettingsError(
                f"answer_within is {seconds / 60:.0f} min, but nobody waits for longer than "
                f"{longest / 60:.0f} min here",
                hint="lower answer_within, or let a manual approval wait for the suite",
            )
        return seconds

    def _named_delivery(self) -> Mapping[str, Any]:
        """Return the event with its key, which is not to be computed anew somewhere else.

        A pause is named by its id, which the delivery may have left out.
        """
        if not isinstance(self.hook, EcsPauseEvent):
            return {**self._delivery, KEY: self.key}
        return {
            KEY: self.key,
            "serviceDeploymentArn": self.hook.deployment,
            "hookId": self.hook.hook_id,
            "lifecycleStage": self.hook.stage,
            "serviceArn": self.hook.service,
        }

    def _poll(self, state: Mapping[str, Any]) -> Answer | Pending:
        """Return what came of the build that an earlier invocation started."""
        handed, ledger = HandedOff.from_state(state), self.ledger()
        assert self.aws is not None  # noqa: S101 - a ledger always has it
        recorded = poll(
            handed, str(state["key"]), aws=self.aws, ledger=ledger, until=self.suite_ends
        )
        if recorded is None:
            return Pending(f"the build {handed.build} is under way", state)
        return answer_of(recorded)

    def _suite(self, arguments: tuple[str, ...]) -> Suite:
        place = self.place
        return Suite(
            arguments=arguments,
            root=place.root,
            report=place.report,
            work=place.work,
            environment={**place.environ, READY: "/"},
            pages=False,
            memory_kib=place.memory_kib,
            paths=place.paths,
            passed=(*self.settings.passed, *place.passed),
            release=self._decided.release,
        )
