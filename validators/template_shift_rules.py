"""Rules on deployments that shift traffic: alarms and rollback; and on the images they bring."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.validators.result import Level
from greenroom.validators.template import Engine, Judgement, TemplateRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.template import HookLimits, Image, TemplateFacts

ALARMS_MOST = 10
"""CodeDeploy's limit for a deployment group."""
FAILURE = "DEPLOYMENT_FAILURE"
ALARM = "DEPLOYMENT_STOP_ON_ALARM"
ROLLBACK_EVENTS = frozenset({FAILURE, ALARM, "DEPLOYMENT_STOP_ON_REQUEST"})
"""The events of a deployment group's automatic rollback."""
_MOVING_TAG = re.compile(r"latest|prod(uction)?|stag(e|ing)|dev|main|master|stable|release|current")
_CONTENT_TAG = re.compile(r"[0-9a-f]{40,64}")
_ALARMS = "https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html"
_LIMITS = "https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html"
_ROLLBACK = (
    "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html"
)
_ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"


def _watched(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift in facts.shifts:
        if shift.gradual is False:
            continue
        unknown = shift.gradual is None or shift.alarms is None
        met = None if unknown else bool(shift.alarms)
        yield Judgement(
            shift.at,
            shift.name,
            met,
            f"whether alarms watch the deployment of {shift.name}"
            if unknown
            else f"no alarm watches the traffic shift of {shift.name}: it cannot notice a failure",
        )


def _few_alarms(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift in facts.shifts:
        if shift.engine is not Engine.ECS and shift.alarms:
            yield Judgement(
                shift.at,
                shift.name,
                shift.alarms <= ALARMS_MOST,
                f"{shift.name} has {shift.alarms} alarms; CodeDeploy takes {ALARMS_MOST}",
            )


def _rolled_back(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift in facts.shifts:
        if shift.engine is Engine.ECS:
            continue
        if shift.rollback is None:
            unknown = f"on what {shift.name} is rolled back"
            yield Judgement(shift.at, shift.name, None, unknown)
            continue
        wanted = {FAILURE, ALARM} if shift.alarms else {FAILURE}
        missing = ", ".join(sorted(wanted - shift.rollback))
        yield Judgement(
            shift.at, shift.name, not missing, f"{shift.name} is not rolled back on {missing}"
        )


def _ecs_rolled_back(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift in facts.shifts:
        if shift.engine is not Engine.ECS:
            continue
        unknown = shift.rollback is None
        yield Judgement(
            shift.at,
            shift.name,
            None if unknown else bool(shift.rollback),
            f"on what {shift.name} is rolled back"
            if unknown
            else f"neither the circuit breaker nor alarms roll {shift.name} back",
        )


def _tail(image: Image) -> tuple[str, str] | None:
    """Return the separator and what follows it in the reference's last part; None if unknown."""
    tail = image.reference.tail
    if "@" in tail:
        return "@", tail.rpartition("@")[2]
    last = tail.rpartition("/")[2]
    if ":" in last:
        return ":", last.rpartition(":")[2]
    ends_known = image.reference.parts and image.reference.parts[-1] is not None
    whole_name = "/" in tail or image.reference.whole is not None
    return ("", "") if ends_known and whole_name else None


def _named_tag(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for image in facts.images:
        match _tail(image):
            case None:
                unknown = f"the tag or digest of {image.reference}"
                yield Judgement(image.at, image.name, None, unknown)
            case "@", digest:
                met = re.fullmatch(r"sha256:[0-9a-f]{64}", digest) is not None
                said = f"{image.reference}: its digest is none of sha256"
                yield Judgement(image.at, image.name, met, said)
            case "", _:
                said = f"{image.reference} has no tag: that is latest, whatever it is that day"
                yield Judgement(image.at, image.name, met=False, said=said)
            case _, tag:
                met = _MOVING_TAG.fullmatch(tag) is None
                said = f"{image.reference}: the tag {tag} moves to every new build"
                yield Judgement(image.at, image.name, met, said)


def _digest(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for image in facts.images:
        found = _tail(image)
        if found is None or not found[0] or (found[0] == ":" and _MOVING_TAG.fullmatch(found[1])):
            continue  # GR-T030 says it
        met = found[0] == "@" or _CONTENT_TAG.fullmatch(found[1]) is not None
        said = f"{image.reference} is named by a tag, which can be moved after the tests"
        yield Judgement(image.at, image.name, met, said)


SHIFT_RULES = (
    TemplateRule(
        id="GR-T020",
        title="Alarms watch every traffic shift",
        reason="A canary without an alarm cannot fail: it only takes longer.",
        fix="give DeploymentPreference.Alarms, AlarmConfiguration (CodeDeploy) or "
        "DeploymentConfiguration.Alarms (ECS)",
        level=Level.ERROR,
        source=_ALARMS,
        judge=_watched,
    ),
    TemplateRule(
        id="GR-T021",
        title="A deployment group has at most 10 alarms",
        reason="CodeDeploy refuses a deployment group with more.",
        fix="combine them in a composite alarm",
        level=Level.ERROR,
        source=_LIMITS,
        judge=_few_alarms,
    ),
    TemplateRule(
        id="GR-T022",
        title="CodeDeploy rolls back on failure, and on an alarm where there are alarms",
        reason="A failed hook or alarm stops a deployment and leaves it half way, unless "
        "automatic rollback is on.",
        fix="AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE, "
        "DEPLOYMENT_STOP_ON_ALARM]}",
        level=Level.ERROR,
        source=_ROLLBACK,
        judge=_rolled_back,
    ),
    TemplateRule(
        id="GR-T023",
        title="An ECS service rolls back a failed deployment",
        reason="Without rollback a failed deployment of the service goes on trying.",
        fix="DeploymentCircuitBreaker: {Enable: true, Rollback: true}, or Alarms with both",
        level=Level.ERROR,
        source=f"{_ECS}/deployment-circuit-breaker.html",
        judge=_ecs_rolled_back,
    ),
    TemplateRule(
        id="GR-T030",
        title="An image has a digest, or a tag that names one build",
        reason="A tag such as latest is another image tomorrow: what was tested is not what runs.",
        fix="name the image by its digest: NAME@sha256:…",
        level=Level.ERROR,
        source=f"{_ECS}/container-considerations.html",
        judge=_named_tag,
    ),
    TemplateRule(
        id="GR-T031",
        title="An image is named by its digest",
        reason="A tag can be moved between the tests and the deployment.",
        fix="name the image by its digest: NAME@sha256:…",
        level=Level.WARNING,
        source=f"{_ECS}/container-considerations.html",
        judge=_digest,
    ),
)
