"""Rules on AppSpec files and on the lifecycle hooks of ECS services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.validators.lifecycle import LifecycleEvent
from greenroom.validators.result import Level
from greenroom.validators.template import Judgement, TemplateRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.result import Location
    from greenroom.validators.template import HookLimits, StageHook, TemplateFacts, Text

SPEC_HOOKS = {
    "ECS": (
        "BeforeInstall",
        "AfterInstall",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ),
    "Lambda": ("BeforeAllowTraffic", "AfterAllowTraffic"),
    "Server": (
        "ApplicationStop",
        "BeforeInstall",
        "AfterInstall",
        "ApplicationStart",
        "ValidateService",
        "BeforeBlockTraffic",
        "AfterBlockTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ),
}
"""The events at which hooks run on each compute platform (AppSpec 'hooks' section)."""
STAGES = frozenset(event.ecs for event in LifecycleEvent if event.ecs)
"""The lifecycle stages at which ECS calls hooks."""
_ANY = frozenset(name for names in SPEC_HOOKS.values() for name in names)
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:.+")
_ROLE = re.compile(r"arn:[^:]+:iam::[^:]*:role/.+")
_SPEC = "https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file"
_STAGES = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html"
)


def _structured(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    if (spec := facts.spec) is not None:
        yield from _problems(spec.at, spec.problems)


def _described(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    if (spec := facts.spec) is not None and spec.platform in {"ECS", "Lambda"}:
        yield from _problems(spec.at, spec.resource_problems)


def _problems(at: Location, problems: tuple[tuple[Location, str], ...]) -> Iterator[Judgement]:
    if not problems:
        yield Judgement(at, "", met=True, said="")
    for where, problem in problems:
        yield Judgement(where, problem, met=False, said=problem)


def _known_events(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    if (spec := facts.spec) is not None:
        for at, event in spec.hooks:
            said = f"there is no lifecycle event {event}: its hook never runs"
            yield Judgement(at, event, event in _ANY, said)


def _platform_events(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    if (spec := facts.spec) is None:
        return
    for at, event in spec.hooks:
        if event not in _ANY:
            continue  # GR-T041 says it
        if not spec.platform:
            yield Judgement(at, event, None, f"whether {event} has hooks: the platform is unknown")
            continue
        events = SPEC_HOOKS[spec.platform]
        said = f"no hook runs at {event} on {spec.platform}; they run at {', '.join(events)}"
        yield Judgement(at, event, event in events, said)


def _callable(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for hook in facts.stage_hooks:
        if hook.pause:
            continue
        subject = f"{hook.service} {hook.at.line}"
        parts = (
            ("HookTargetArn", hook.target, _FUNCTION, "a Lambda function's ARN"),
            ("RoleArn", hook.role, _ROLE, "a role's ARN"),
        )
        for name, text, form, meant in parts:
            met, said = (True, "") if name in hook.own else _is(text, form)
            message = f"a lifecycle hook of {hook.service}: {name} {said}, not {meant}"
            yield Judgement(hook.at, f"{subject} {name}", met, message)


def _is(text: Text | None, form: re.Pattern[str]) -> tuple[bool | None, str]:
    if text is None:
        return False, "is not given"
    if (whole := text.whole) is None:
        return None, "is known at the deployment only"
    return form.fullmatch(whole) is not None, f"is {whole}"


def _staged(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for hook in facts.stage_hooks:
        subject = f"{hook.service} {hook.at.line}"
        who = f"a lifecycle hook of {hook.service}"
        if hook.stages is None:
            yield Judgement(hook.at, subject, None, f"the stages of {who}")
            continue
        if not hook.stages:
            yield Judgement(hook.at, subject, met=False, said=f"{who} has no LifecycleStages")
        yield from _each_stage(hook, subject, who)


def _each_stage(hook: StageHook, subject: str, who: str) -> Iterator[Judgement]:
    for stage in hook.stages or ():
        whole = stage.whole
        said = f"{who} names the stage {stage}; there are {', '.join(sorted(STAGES))}"
        met = None if whole is None else whole in STAGES
        yield Judgement(hook.at, f"{subject} {stage}", met, said)


SPEC_RULES = (
    TemplateRule(
        id="GR-T040",
        title="An AppSpec has its version and what it deploys",
        reason="CodeDeploy refuses an AppSpec without version 0.0 (or 1.0), and one without "
        "exactly one resource (ECS, Lambda) or without os (EC2 and on-premises).",
        fix="begin with version: 0.0 and give Resources (or os and files)",
        level=Level.ERROR,
        source=f"{_SPEC}-structure.html",
        judge=_structured,
    ),
    TemplateRule(
        id="GR-T041",
        title="An AppSpec's hooks are at lifecycle events that there are",
        reason="A hook at a misspelt event never runs, or the AppSpec is refused.",
        fix="correct the name of the event",
        level=Level.ERROR,
        source=f"{_SPEC}-structure-hooks.html",
        judge=_known_events,
    ),
    TemplateRule(
        id="GR-T042",
        title="An AppSpec's hooks are at events of its compute platform",
        reason="Each platform has hooks at events of its own; no other runs.",
        fix="move the hook to an event of the platform",
        level=Level.ERROR,
        source=f"{_SPEC}-structure-hooks.html",
        judge=_platform_events,
    ),
    TemplateRule(
        id="GR-T043",
        title="An AppSpec's resource names what is deployed",
        reason="An ECS service needs TaskDefinition (an ARN, or <TASK_DEFINITION>, the one "
        "placeholder that CodePipeline fills in) and its load balancer's container; a Lambda "
        "function needs Name, Alias, CurrentVersion and TargetVersion.",
        fix="give what is missing",
        level=Level.ERROR,
        source=f"{_SPEC}-structure-resources.html",
        judge=_described,
    ),
    TemplateRule(
        id="GR-T050",
        title="An ECS lifecycle hook has its function and its role",
        reason="ECS calls the function (HookTargetArn) with the role (RoleArn): without either "
        "the service cannot be deployed.",
        fix="give HookTargetArn and RoleArn (a PAUSE hook needs neither)",
        level=Level.ERROR,
        source=_STAGES,
        judge=_callable,
    ),
    TemplateRule(
        id="GR-T051",
        title="An ECS lifecycle hook names stages that there are",
        reason="A hook without a valid stage never runs.",
        fix="give LifecycleStages: [POST_TEST_TRAFFIC_SHIFT], or others of the list",
        level=Level.ERROR,
        source=_STAGES,
        judge=_staged,
    ),
)
