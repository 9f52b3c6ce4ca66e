"""The lifecycle events of a deployment: one vocabulary over CodeDeploy and ECS-native stages.

CodeDeploy's names are the common ones. Sources: CodeDeploy's AppSpec 'hooks' reference (ECS,
Lambda, EC2/on-premises) and ECS' deployment lifecycle stages.
"""

from __future__ import annotations

from enum import StrEnum

from greenroom.validators.errors import SettingsError


class LifecycleEvent(StrEnum):
    """One step of a deployment at which a hook can run."""

    RECONCILE_SERVICE = "ReconcileService"
    """ECS-native only: the deployment starts while another one is still under way."""
    BEFORE_INSTALL = "BeforeInstall"
    AFTER_INSTALL = "AfterInstall"
    ALLOW_TEST_TRAFFIC = "AllowTestTraffic"
    AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    ALLOW_TRAFFIC = "AllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"
    BEFORE_BLOCK_TRAFFIC = "BeforeBlockTraffic"
    """EC2 and on-premises only, as the next four; this and the next behind a load balancer."""
    AFTER_BLOCK_TRAFFIC = "AfterBlockTraffic"
    APPLICATION_STOP = "ApplicationStop"
    APPLICATION_START = "ApplicationStart"
    VALIDATE_SERVICE = "ValidateService"
    DEPLOYMENT_READY = "DeploymentReady"
    """CodeDeploy's ready-wait: the replacement is ready and waits to be continued."""
    PIPELINE_ACTION = "PipelineAction"
    """A Lambda invoke action of CodePipeline."""
    PIPELINE_APPROVAL = "PipelineApproval"
    """A manual approval action of CodePipeline."""

    @property
    def ecs(self) -> str:
        """ECS' name of the stage; empty where it has none."""
        return _ECS.get(self, "")


_ECS = {
    LifecycleEvent.RECONCILE_SERVICE: "RECONCILE_SERVICE",
    LifecycleEvent.BEFORE_INSTALL: "PRE_SCALE_UP",
    LifecycleEvent.AFTER_INSTALL: "POST_SCALE_UP",
    LifecycleEvent.ALLOW_TEST_TRAFFIC: "TEST_TRAFFIC_SHIFT",
    LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC: "POST_TEST_TRAFFIC_SHIFT",
    LifecycleEvent.BEFORE_ALLOW_TRAFFIC: "PRE_PRODUCTION_TRAFFIC_SHIFT",
    LifecycleEvent.ALLOW_TRAFFIC: "PRODUCTION_TRAFFIC_SHIFT",
    LifecycleEvent.AFTER_ALLOW_TRAFFIC: "POST_PRODUCTION_TRAFFIC_SHIFT",
}
_BY_NAME = {event.value: event for event in LifecycleEvent} | {
    name: event for event, name in _ECS.items()
}


def lifecycle_event(name: object, where: str) -> LifecycleEvent:
    """Return the event that CodeDeploy or ECS calls ``name``; a `SettingsError` lists the known."""
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    raise SettingsError(
        f"{where}: unknown lifecycle event {name!r}", hint=f"use one of: {', '.join(_BY_NAME)}"
    )
