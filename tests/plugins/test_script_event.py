"""A hook that is a script: what CodeDeploy's agent tells it."""

from __future__ import annotations

import pytest

from greenroom.plugins.script_event import ScriptEvent
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent


def test_an_unknown_event_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="LIFECYCLE_EVENT: unknown lifecycle event") as caught:
        ScriptEvent.from_environ({"LIFECYCLE_EVENT": "Sometime"})
    assert "ValidateService" in caught.value.hint


def test_outside_a_deployment_nothing_is_known() -> None:
    script = ScriptEvent.from_environ({})
    assert (script.event, script.deployment, script.execution_id) == (None, "", "")


@pytest.mark.parametrize(
    "name",
    [
        "BeforeBlockTraffic",
        "AfterBlockTraffic",
        "ApplicationStop",
        "BeforeInstall",
        "AfterInstall",
        "ApplicationStart",
        "ValidateService",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ],
)
def test_every_event_at_which_the_agent_runs_scripts_is_known(name: str) -> None:
    script = ScriptEvent.from_environ({"LIFECYCLE_EVENT": name, "DEPLOYMENT_ID": "d-1"})
    assert script.event == name


def test_the_agents_variables_name_event_and_deployment() -> None:
    environ = {
        "LIFECYCLE_EVENT": "ValidateService",
        "DEPLOYMENT_ID": "d-ABCDEFGHI",
        "APPLICATION_NAME": "trivia",
        "DEPLOYMENT_GROUP_NAME": "",
    }
    script = ScriptEvent.from_environ(environ)
    assert script.event is LifecycleEvent.VALIDATE_SERVICE
    assert script.release == {"deployment": "d-ABCDEFGHI", "application": "trivia"}
    assert script.execution_id == "d-ABCDEFGHI/ValidateService"
