"""The lifecycle of a deployment: first how it fails, then how it succeeds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.rehearsal.engine import DeploymentRequest, Engine
from greenroom.rehearsal.lifecycle import (
    Creator,
    ErrorCode,
    EventStatus,
    Lifecycle,
    RefusedError,
    RollbackEvent,
    Status,
)
from greenroom.validators.errors import SettingsError, ToolError
from tests.support.deployments import (
    Answer,
    MemoryPlane,
    SwitchedAlarm,
    World,
    appspec,
    failure,
    rollback,
    seconds,
)

if TYPE_CHECKING:
    from greenroom.rehearsal.lifecycle import Event, Snapshot

AT_TEST = Lifecycle.AFTER_ALLOW_TEST_TRAFFIC
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"


def statuses(snapshot: Snapshot) -> dict[str, str]:
    return {record.name.value: record.status.value for record in snapshot.events}


def test_a_failing_hook_rolls_back_before_any_production_traffic_moves() -> None:
    world = World({AT_TEST: Answer(succeeded=False)})
    ended = world.deploy()
    assert ended.status is Status.FAILED
    assert failure(ended).code is ErrorCode.HOOK_EXECUTION_FAILURE
    assert (
        "on-AfterAllowTestTraffic of AfterAllowTestTraffic reported Failed"
        in failure(ended).message
    )
    assert world.plane.log[-2:] == ["shift 0", "stop_replacement"]
    assert "shift 100" not in world.plane.log


def test_events_after_the_failed_one_are_skipped() -> None:
    ended = World({AT_TEST: Answer(succeeded=False)}).deploy()
    assert list(statuses(ended).values()) == ["Succeeded"] * 4 + ["Failed"] + ["Skipped"] * 3


def test_a_rollback_is_a_deployment_of_its_own() -> None:
    world = World({AT_TEST: Answer(succeeded=False)})
    ended = world.deploy()
    back = world.engine.wait(rollback(ended).deployment_id)
    assert back.status is Status.SUCCEEDED
    assert back.creator is Creator.ROLLBACK
    assert rollback(back).triggered_by == ended.deployment_id
    assert back.deployment_id != ended.deployment_id
    assert statuses(back)["AllowTraffic"] == "Succeeded"


def test_a_silent_hook_times_out_after_an_hour_of_deployment_time() -> None:
    ended = World({AT_TEST: Answer(succeeded=None)}).deploy()
    record = ended.events[4]
    assert failure(ended).code is ErrorCode.TIMEOUT
    assert seconds(record.start, record.end) == 3600
    assert ended.rolled_back


def test_only_what_a_hook_really_said_is_its_answer() -> None:
    early, silent = Lifecycle.AFTER_INSTALL, Answer(succeeded=None)
    ended = World({early: Answer(after_s=7), AT_TEST: silent}).deploy()
    [answer] = ended.answers
    assert (answer.event, answer.succeeded) == (early, True)
    assert seconds(ended.started, answer.at) == 7
    assert World({AT_TEST: silent}).deploy().answers == ()


def test_an_answer_after_the_time_out_is_refused() -> None:
    world = World({AT_TEST: Answer(after_s=100)}, hook_timeout_s=10)
    ended = world.deploy()
    assert ended.answers == ()
    token = world.hooks.invoked[0][1]["LifecycleEventHookExecutionId"]
    with pytest.raises(RefusedError) as refused:
        world.engine.put_status(ended.deployment_id, token, succeeded=True)
    assert refused.value.code == "LifecycleEventAlreadyCompletedException"


def test_a_hook_that_cannot_be_invoked_has_failed() -> None:
    ended = World({AT_TEST: Answer(raises=True)}).deploy()
    assert failure(ended).code is ErrorCode.HOOK_EXECUTION_FAILURE
    assert failure(ended).message.endswith("could not be invoked: no such function")


def test_nothing_is_rolled_back_at_before_install() -> None:
    world = World({Lifecycle.BEFORE_INSTALL: Answer(succeeded=False)})
    ended = world.deploy()
    assert ended.status is Status.FAILED
    assert not ended.rolled_back
    assert "nothing was installed" in rollback(ended).message
    assert world.plane.log == ["on-BeforeInstall False"]


@pytest.mark.parametrize(
    "call", ["start_replacement", "allow_test_traffic", "shift 10", "shift 100"]
)
@pytest.mark.parametrize("half_done", [False, True], ids=["no-effect", "half-done"])
def test_a_broken_data_plane_ends_failed_and_rolled_back(call: str, *, half_done: bool) -> None:
    broken = frozenset({call})
    plane = MemoryPlane(broken=broken, half_done=broken if half_done else frozenset())
    world = World(plane=plane, config_name=CANARY)
    ended = world.deploy()
    assert ended.status is Status.FAILED
    assert failure(ended).code is ErrorCode.ECS_UPDATE_ERROR
    assert f"{call} is broken" in failure(ended).message
    assert (plane.percent, plane.original, plane.replacement) == (0, True, False)
    assert not plane.violations


def test_an_original_that_does_not_stop_keeps_production_on_the_replacement() -> None:
    world = World(plane=MemoryPlane(broken=frozenset({"stop_original"})))
    ended = world.deploy()
    assert ended.status is Status.FAILED
    assert not ended.rolled_back
    assert "the original may be gone" in rollback(ended).message
    assert world.plane.percent == 100


def test_a_rollback_that_cannot_move_traffic_keeps_the_replacement_running() -> None:
    plane = MemoryPlane(broken=frozenset({"shift 0"}))
    world = World({Lifecycle.AFTER_ALLOW_TRAFFIC: Answer(succeeded=False)}, plane=plane)
    back = world.engine.wait(rollback(world.deploy()).deployment_id)
    assert back.status is Status.FAILED
    assert plane.log[-3:] == ["shift 0"] * 3
    assert plane.replacement


def test_a_replacement_that_does_not_stop_fails_the_rollback_with_production_safe() -> None:
    plane = MemoryPlane(broken=frozenset({"stop_replacement"}))
    world = World({AT_TEST: Answer(succeeded=False)}, plane=plane)
    back = world.engine.wait(rollback(world.deploy()).deployment_id)
    assert back.status is Status.FAILED
    assert failure(back).message == "The replacement did not stop: stop_replacement is broken"
    assert plane.percent == 0


def test_an_alarm_that_already_fires_ends_a_deployment_before_it_begins() -> None:
    world = World(alarm=SwitchedAlarm(on=True))
    ended = world.deploy()
    assert ended.status is Status.STOPPED
    assert failure(ended).code is ErrorCode.ALARM_ACTIVE
    assert set(statuses(ended).values()) == {"Skipped"}
    assert world.plane.log == []


def test_an_unreadable_alarm_fails_a_deployment() -> None:
    ended = World(alarm=SwitchedAlarm(broken=True)).deploy()
    assert ended.status is Status.FAILED
    assert failure(ended).message == "The alarm 5xx could not be read: no statistics"


@pytest.mark.parametrize(
    ("moment", "percent"), [(20, 10), (320, 100)], ids=["during-canary", "during-bake"]
)
def test_an_alarm_under_production_traffic_rolls_back_within_one_poll(
    moment: int, percent: int
) -> None:
    world = World(config_name=CANARY)
    world.at(moment, lambda _: setattr(world.alarm, "on", True))
    ended = world.deploy()
    assert ended.status is Status.STOPPED
    assert failure(ended).code is ErrorCode.ALARM_ACTIVE
    assert [point.replacement for point in ended.traffic][-2:] == [percent, 0]
    assert seconds(ended.created, ended.completed) <= moment + 5


def test_an_alarm_before_production_traffic_moves_stops_the_shift() -> None:
    world = World({AT_TEST: Answer(after_s=60)})
    world.at(30, lambda _: setattr(world.alarm, "on", True))
    ended = world.deploy()
    assert failure(ended).code is ErrorCode.ALARM_ACTIVE
    assert "shift 100" not in world.plane.log


def test_an_alarm_is_watched_while_the_last_hook_runs() -> None:
    world = World({Lifecycle.AFTER_ALLOW_TRAFFIC: Answer(after_s=60)})
    world.at(30, lambda _: setattr(world.alarm, "on", True))
    assert failure(world.deploy()).code is ErrorCode.ALARM_ACTIVE


@pytest.mark.parametrize("moment", [1, 100, 400], ids=["in-hook", "in-canary", "in-bake"])
def test_a_stop_request_stops_and_rolls_back(moment: int) -> None:
    world = World({AT_TEST: Answer(after_s=2)}, config_name=CANARY)
    world.stop_at(moment)
    ended = world.deploy()
    assert ended.status is Status.STOPPED
    assert failure(ended).code is ErrorCode.MANUAL_STOP
    assert ended.rolled_back
    assert world.plane.percent == 0


@pytest.mark.parametrize(
    ("setting", "override", "rolled_back"),
    [
        (frozenset(), None, False),
        (frozenset(), True, True),
        (frozenset(RollbackEvent), False, False),
        (frozenset({RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST}), None, True),
    ],
    ids=["off", "off-but-asked", "on-but-declined", "on"],
)
def test_a_stop_request_can_decide_on_the_rollback(
    setting: frozenset[RollbackEvent], *, override: bool | None, rolled_back: bool
) -> None:
    world = World(config_name=CANARY)
    world.stop_at(100, rollback=override)
    assert world.deploy(auto_rollback=setting).rolled_back is rolled_back
    assert world.plane.percent == (0 if rolled_back else 10)


def test_without_automatic_rollback_everything_stays_as_it_is() -> None:
    world = World({Lifecycle.AFTER_ALLOW_TRAFFIC: Answer(succeeded=False)})
    ended = world.deploy(auto_rollback=frozenset())
    assert rollback(ended).message == "No rollback: not enabled for DEPLOYMENT_FAILURE."
    assert world.plane.percent == 100
    assert world.plane.replacement


def test_a_broken_clock_ends_the_deployment_as_an_internal_error() -> None:
    world = World({AT_TEST: Answer(succeeded=None)})
    world.at(5, lambda _: 1 / 0)
    ended = world.deploy()
    assert failure(ended).code is ErrorCode.INTERNAL_ERROR
    assert failure(ended).message == "The deployment broke: division by zero"
    assert ended.rolled_back


def test_a_second_deployment_of_a_busy_group_is_refused() -> None:
    world = World({AT_TEST: Answer(after_s=5)})
    codes: list[str] = []

    def again(_: str) -> None:
        with pytest.raises(RefusedError) as refused:
            world.engine.create_deployment(DeploymentRequest())
        codes.append(refused.value.code)

    world.at(2, again)
    world.deploy()
    assert codes == ["DeploymentLimitExceededException"]
    assert world.deploy().status is Status.SUCCEEDED


def test_a_deployment_without_a_revision_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        World(appspec=None).deploy()
    assert refused.value.code == "RevisionRequiredException"


def test_an_unknown_configuration_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RefusedError) as refused:
        World().deploy(config_name="Fast")
    assert refused.value.code == "DeploymentConfigDoesNotExistException"
    assert "CodeDeployDefault.ECSAllAtOnce" in refused.value.hint


def test_the_second_answer_of_a_hook_is_refused() -> None:
    world = World({AT_TEST: Answer(times=2), Lifecycle.BEFORE_ALLOW_TRAFFIC: Answer(after_s=30)})
    assert world.deploy().status is Status.SUCCEEDED
    assert world.hooks.refusals == ["LifecycleEventAlreadyCompletedException"]


def test_of_many_answers_at_once_one_counts() -> None:
    world = World({AT_TEST: Answer(succeeded=None)}, hook_timeout_s=60)
    accepted: list[bool] = []
    token = world.hooks.invoked

    def race(deployment: str) -> None:
        def put(*, succeeded: bool) -> None:
            execution = token[0][1]["LifecycleEventHookExecutionId"]
            try:
                world.engine.put_status(deployment, execution, succeeded=succeeded)
                accepted.append(succeeded)
            except RefusedError:
                return

        threads = [
            threading.Thread(target=put, kwargs={"succeeded": n % 2 == 0}) for n in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    world.at(1, race)
    ended = world.deploy()
    assert len(accepted) == 1
    assert (ended.status is Status.SUCCEEDED) is accepted[0]


def test_a_finished_deployment_cannot_be_stopped() -> None:
    world = World()
    ended = world.deploy()
    with pytest.raises(RefusedError) as refused:
        world.engine.stop(ended.deployment_id)
    assert refused.value.code == "DeploymentAlreadyCompletedException"


def test_a_stop_at_the_last_moment_still_stops() -> None:
    class StopsWhenAsked(SwitchedAlarm):
        def firing(self) -> bool:
            if world.events[-1].deployment_status is Status.BAKING:
                world.engine.stop(world.events[-1].deployment_id)
            return False

    world = World(alarm=StopsWhenAsked(), termination_wait_s=0)
    assert world.deploy().status is Status.STOPPED
    assert "stop_original" not in world.plane.log


def test_a_stop_is_too_late_once_the_original_stops() -> None:
    codes: list[str] = []

    class StopsWhileStopping(MemoryPlane):
        def stop_original(self) -> None:
            with pytest.raises(RefusedError) as refused:
                world.engine.stop(world.events[-1].deployment_id)
            codes.append(refused.value.code)

    world = World(plane=StopsWhileStopping())
    assert world.deploy().status is Status.SUCCEEDED
    assert codes == ["DeploymentAlreadyCompletedException"]


@pytest.mark.parametrize(
    "times",
    [{"hook_timeout_s": 0}, {"alarm_poll_s": 0}, {"termination_wait_s": -1}],
    ids=["no-hook-time", "no-poll-time", "negative-bake"],
)
def test_a_group_refuses_times_that_make_no_sense(times: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(times))):
        World(**times)


def test_a_rollback_takes_neither_answers_nor_stops() -> None:
    world = World({AT_TEST: Answer(succeeded=False)})
    back = rollback(world.deploy()).deployment_id
    with pytest.raises(RefusedError) as refused:
        world.engine.stop(back)
    assert refused.value.code == "UnsupportedActionForDeploymentTypeException"


def test_waiting_too_short_says_so() -> None:
    world = World({AT_TEST: Answer(succeeded=None)})
    held = threading.Event()
    world.at(1, lambda _: held.wait(30))
    deployment = world.engine.create_deployment(DeploymentRequest())
    with pytest.raises(ToolError, match=r"did not end within 0 s"):
        world.engine.wait(deployment, timeout_s=0)
    held.set()
    assert world.engine.wait(deployment, timeout_s=30).status is Status.FAILED


def test_a_listener_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Event) -> None:
        raise ToolError("the terminal is gone")

    world = World()
    engine = Engine(world.engine.group, world.plane, world.hooks, world.clock, [fails])
    ended = engine.wait(engine.create_deployment(DeploymentRequest()), timeout_s=30)
    assert ended.status is Status.SUCCEEDED
    assert "a listener failed" in caplog.text


def test_a_good_deployment_goes_through_all_events_in_order() -> None:
    hooks = {event: Answer() for event in Lifecycle if event.hookable}
    world = World(hooks, config_name=CANARY)
    ended = world.deploy()
    assert ended.status is Status.SUCCEEDED
    assert list(statuses(ended)) == [event.value for event in Lifecycle]
    assert set(statuses(ended).values()) == {"Succeeded"}
    assert ended.error is None
    assert ended.rollback is None
    assert world.plane.log == [
        "on-BeforeInstall True",
        "start_replacement",
        "on-AfterInstall True",
        "allow_test_traffic",
        "on-AfterAllowTestTraffic True",
        "on-BeforeAllowTraffic True",
        "shift 10",
        "shift 100",
        "on-AfterAllowTraffic True",
        "stop_original",
    ]


def test_a_hook_gets_the_two_members_that_codedeploy_sends() -> None:
    world = World({AT_TEST: Answer()})
    ended = world.deploy()
    function, event = world.hooks.invoked[0]
    assert function == "on-AfterAllowTestTraffic"
    assert set(event) == {"DeploymentId", "LifecycleEventHookExecutionId"}
    assert event["DeploymentId"] == ended.deployment_id


def test_the_original_stops_only_after_bake() -> None:
    ended = World(config_name=CANARY, termination_wait_s=900).deploy()
    assert [point.replacement for point in ended.traffic] == [10, 100]
    assert seconds(ended.created, ended.completed) == 300 + 900


def test_listeners_hear_everything_in_order() -> None:
    world = World({AT_TEST: Answer()})
    world.deploy()
    heard = [(event.lifecycle, event.status) for event in world.events if event.lifecycle]
    expected = [
        (name, status)
        for name in Lifecycle
        for status in (EventStatus.IN_PROGRESS, EventStatus.SUCCEEDED)
    ]
    assert heard == expected
    changes = list(dict.fromkeys(event.deployment_status for event in world.events))
    assert changes == [Status.IN_PROGRESS, Status.BAKING, Status.SUCCEEDED]


def test_a_request_can_bring_its_own_revision() -> None:
    own = appspec(Lifecycle.BEFORE_INSTALL)
    world = World()
    ended = world.deploy(appspec=own, description="two")
    assert [function for function, _ in world.hooks.invoked] == ["on-BeforeInstall"]
    assert (ended.revision, ended.description) == (own.text, "two")
