"""What holds for every deployment, in whatever order answers, alarms, stops and faults come."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.rehearsal.lifecycle import (
    ErrorCode,
    EventStatus,
    Lifecycle,
    RefusedError,
    RollbackEvent,
    Status,
)
from greenroom.rehearsal.traffic import PREDEFINED
from tests.support.deployments import HOOKABLE, Answer, MemoryPlane, World

if TYPE_CHECKING:
    from greenroom.rehearsal.lifecycle import Snapshot

CALLS = ["start_replacement", "allow_test_traffic", "shift 10", "shift 100", "stop_original"]
MOMENTS = st.floats(0, 3000)
ANSWERS = st.builds(
    Answer,
    succeeded=st.sampled_from([True, True, True, False, None]),
    after_s=st.floats(0, 900),
    times=st.integers(1, 3),
    raises=st.sampled_from([False, False, False, False, True]),
)


@dataclass(frozen=True)
class Story:
    """One deployment and everything that happens to it."""

    script: dict[Lifecycle, Answer]
    config: str
    auto_rollback: frozenset[RollbackEvent]
    broken: frozenset[str]
    half_done: frozenset[str]
    alarms: list[float]
    quiet: list[float]
    stops: list[tuple[float, bool | None]]
    bake_s: float


STORIES = st.builds(
    Story,
    script=st.dictionaries(st.sampled_from(HOOKABLE), ANSWERS),
    config=st.sampled_from(list(PREDEFINED)),
    auto_rollback=st.frozensets(st.sampled_from(RollbackEvent)),
    broken=st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(CALLS), max_size=2)),
    half_done=st.frozensets(st.sampled_from(CALLS)),
    alarms=st.lists(MOMENTS, max_size=2),
    quiet=st.lists(MOMENTS, max_size=2),
    stops=st.lists(st.tuples(MOMENTS, st.sampled_from([None, True, False])), max_size=2),
    bake_s=st.floats(0, 900),
)


def play(story: Story) -> tuple[World, Snapshot]:
    """Play ``story`` to its end and return its world and the deployment's last state."""
    world = World(
        story.script,
        plane=MemoryPlane(broken=story.broken, half_done=story.half_done),
        config_name=story.config,
        hook_timeout_s=600,
        termination_wait_s=story.bake_s,
    )
    for moment in story.alarms:
        world.at(moment, lambda _: setattr(world.alarm, "on", True))
    for moment in story.quiet:
        world.at(moment, lambda _: setattr(world.alarm, "on", False))
    for moment, rollback in story.stops:
        world.at(moment, functools.partial(try_to_stop, world, rollback=rollback))
    return world, world.deploy(auto_rollback=story.auto_rollback)


def try_to_stop(world: World, deployment: str, *, rollback: bool | None) -> None:
    with contextlib.suppress(RefusedError):
        world.engine.stop(deployment, rollback=rollback)


@settings(max_examples=200, deadline=None)
@given(STORIES)
def test_every_deployment_ends_once_and_safely(story: Story) -> None:
    world, ended = play(story)
    check_one_final_status(world, ended)
    check_order(ended)
    check_gate(world, story)
    check_ending(world, ended)
    check_rollback(world, story, ended)
    assert not world.plane.violations


def check_one_final_status(world: World, ended: Snapshot) -> None:
    assert ended.settled
    assert ended.status.final
    own = [event for event in world.events if event.deployment_id == ended.deployment_id]
    final = [event.deployment_status for event in own if event.deployment_status.final]
    assert set(final) == {ended.status}
    assert all(event.deployment_status.final for event in own[-len(final) :])


def check_order(ended: Snapshot) -> None:
    """Check that events succeed in order, that at most one fails, and that the rest is skipped."""
    succeeded = [r for r in ended.events if r.status is EventStatus.SUCCEEDED]
    rest = [record.status for record in ended.events[len(succeeded) :]]
    assert list(ended.events)[: len(succeeded)] == succeeded
    assert all(status is EventStatus.SKIPPED for status in rest[1:])
    moments = [moment for r in succeeded for moment in (r.start, r.end) if moment]
    assert moments == sorted(moments)


def check_gate(world: World, story: Story) -> None:
    """Check that production moved only after every hook before AllowTraffic had succeeded."""
    log = world.plane.log
    moved = [index for index, call in enumerate(log) if call in ("shift 10", "shift 100")]
    if not moved:
        return
    before = list(Lifecycle)[: list(Lifecycle).index(Lifecycle.ALLOW_TRAFFIC)]
    needed = [f"on-{event} True" for event in before if event in story.script]
    assert [call for call in log[: moved[0]] if call.startswith("on-")] == needed
    assert log.index("start_replacement") < log.index("allow_test_traffic") < moved[0]


def check_ending(world: World, ended: Snapshot) -> None:
    plane = world.plane
    if ended.status is Status.SUCCEEDED:
        assert (plane.percent, plane.original, plane.replacement) == (100, False, True)
        assert all(record.status is EventStatus.SUCCEEDED for record in ended.events)
        assert (ended.error, ended.rollback) == (None, None)
        return
    assert ended.error is not None
    assert ended.rollback is not None
    if ended.rolled_back:
        assert plane.log[-2:] == ["shift 0", "stop_replacement"]
        assert (plane.percent, plane.original, plane.replacement) == (0, True, False)
        assert ended.traffic[-1].replacement == 0
        assert world.engine.snapshot(ended.rollback.deployment_id).status is Status.SUCCEEDED


def check_rollback(world: World, story: Story, ended: Snapshot) -> None:
    """Check that a rollback happens exactly where it is possible and wanted."""
    possible = "start_replacement" in world.plane.log and "stop_original" not in world.plane.log
    if ended.status is Status.FAILED:
        wanted = RollbackEvent.DEPLOYMENT_FAILURE in story.auto_rollback
        assert ended.rolled_back is (possible and wanted)
    if ended.error and ended.error.code is ErrorCode.ALARM_ACTIVE:
        wanted = RollbackEvent.DEPLOYMENT_STOP_ON_ALARM in story.auto_rollback
        assert ended.rolled_back is (possible and wanted)
    assert possible or not ended.rolled_back
