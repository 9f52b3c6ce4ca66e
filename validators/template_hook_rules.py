"""Rules on the functions that a deployment calls as hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.validators.result import Level
from greenroom.validators.template import Engine, Judgement, TemplateRule, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.template import Function, Hook, HookLimits, Shift, TemplateFacts

PREFIX = "CodeDeployHook_"
"""What the managed policy AWSCodeDeployRoleForLambda allows CodeDeploy to invoke."""
_INVOCATION_S = 900
_CODEDEPLOY_S = 3600
_SAM = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide"
_CODEDEPLOY = "https://docs.aws.amazon.com/codedeploy/latest/userguide"


def _calls(facts: TemplateFacts) -> Iterator[tuple[Shift, Hook]]:
    for shift in facts.shifts:
        for hook in shift.hooks:
            yield shift, hook


def _functions(facts: TemplateFacts) -> Iterator[tuple[Function, frozenset[str], bool]]:
    """Yield each function that is a hook, its events, and whether CodeDeploy calls it.

    A function is one because a deployment names it, or because of its name (an AppSpec calls it).
    """
    for function in facts.functions:
        calls = [
            (shift, hook)
            for shift, hook in _calls(facts)
            if hook.function is not None and hook.function.name == function.name
        ]
        named = function.function_name is not None and function.function_name.begins(PREFIX)
        if calls or named:
            codedeploy = not calls or any(shift.engine is not Engine.ECS for shift, _ in calls)
            yield function, frozenset(hook.event for _, hook in calls), codedeploy


def _named(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift, hook in _calls(facts):
        if shift.engine is Engine.ECS or shift.limited_role is False:
            continue
        at, who = (hook.function.at, hook.function.name) if hook.function else (hook.at, "")
        who = who or str(hook.target)
        if shift.limited_role is None:
            yield Judgement(at, who, None, f"what the role that deploys {shift.name} may invoke")
            continue
        name = _name_of(hook)
        met = False if name is None else name.begins(PREFIX)
        shown = f"is named {name}" if name else "has no FunctionName (its stack's comes first)"
        yield Judgement(at, who, met, f"the hook function {who} {shown}, not {PREFIX}…")


def _name_of(hook: Hook) -> Text | None:
    """Return the function's name, None where CloudFormation makes one up."""
    if hook.function is not None:
        return hook.function.function_name
    target = hook.target.whole
    if target and ":function:" in target:
        return Text((target.split(":function:", 1)[1].split(":", 1)[0],))
    return hook.target


def _no_preference(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for function, _events, _codedeploy in _functions(facts):
        met = None if function.preference is None else not function.preference
        yield Judgement(
            function.at,
            function.name,
            met,
            f"the hook function {function.name} has a DeploymentPreference of its own"
            if met is not None
            else f"whether {function.name} has a DeploymentPreference of its own",
        )


def _long_enough(facts: TemplateFacts, limits: HookLimits) -> Iterator[Judgement]:
    for function, events, _codedeploy in _functions(facts):
        budgets = [
            limits.budgets_s.get(event, limits.budgets_s.get("")) for event in events or [""]
        ]
        budget = max((one for one in budgets if one is not None), default=None)
        if budget is None:
            continue
        need = budget + limits.reserve_s
        if function.timeout_s is None:
            yield Judgement(function.at, function.name, None, f"the Timeout of {function.name}")
            continue
        suite = f"its suite may take {budget:g} s and {limits.reserve_s:g} s are for the answer"
        most = "; Lambda allows 900 s at most: hand the suite off" if need > _INVOCATION_S else ""
        yield Judgement(
            function.at,
            function.name,
            function.timeout_s >= need and not most,
            f"the Timeout of {function.name} is {function.timeout_s:g} s, but {suite}{most}",
        )


def _answers_in_time(facts: TemplateFacts, limits: HookLimits) -> Iterator[Judgement]:
    if limits.answer_within_s is None:
        return
    for function, _events, codedeploy in _functions(facts):
        if codedeploy:
            yield Judgement(
                function.at,
                function.name,
                limits.answer_within_s < _CODEDEPLOY_S,
                f"{function.name} is to answer within {limits.answer_within_s:g} s, but CodeDeploy "
                f"waits {_CODEDEPLOY_S:,} s and then fails the deployment",
            )


def _no_circle(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for shift, hook in _calls(facts):
        if hook.function is None or not shift.aliases:
            continue
        circle = sorted(hook.function.mentions & shift.aliases)
        yield Judgement(
            hook.function.at,
            hook.function.name,
            not circle,
            f"the hook function {hook.function.name} refers to {', '.join(circle)}, the alias "
            "whose shift calls it: a circular dependency",
        )


def _may_report(facts: TemplateFacts, _: HookLimits) -> Iterator[Judgement]:
    for function, _events, codedeploy in _functions(facts):
        if not codedeploy:
            continue
        unknown = function.may_report is None
        yield Judgement(
            function.at,
            function.name,
            function.may_report,
            f"what the role of {function.name} allows"
            if unknown
            else f"the role of {function.name} does not allow "
            "codedeploy:PutLifecycleEventHookExecutionStatus: it can never report",
        )


HOOK_RULES = (
    TemplateRule(
        id="GR-T010",
        title="A hook function's name begins with CodeDeployHook_ where the default role deploys",
        reason="AWSCodeDeployRoleForLambda, which SAM's default role has, may invoke functions "
        "named CodeDeployHook_* alone: any other hook fails its deployment.",
        fix="give FunctionName: CodeDeployHook_…, or a Role that may invoke it",
        level=Level.ERROR,
        source=f"{_SAM}/automating-updates-to-serverless-apps.html",
        judge=_named,
    ),
    TemplateRule(
        id="GR-T011",
        title="A hook function has no deployment preference of its own",
        reason="A hook that is shifted itself waits for its own hooks, or an old version of it "
        "judges the new release.",
        fix="give it DeploymentPreference: {Enabled: false}; Globals hand theirs to it as well",
        level=Level.ERROR,
        source=f"{_SAM}/automating-updates-to-serverless-apps.html",
        judge=_no_preference,
    ),
    TemplateRule(
        id="GR-T012",
        title="A hook function's Timeout covers its suite's budget and the reserve",
        reason="Lambda ends the function at its Timeout (3 s unless given, 900 s at most): "
        "without time for the answer, the deployment hangs until CodeDeploy gives up.",
        fix="raise Timeout to budget + reserve, or lower the budget of [hook.events.…]",
        level=Level.ERROR,
        source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html",
        judge=_long_enough,
    ),
    TemplateRule(
        id="GR-T013",
        title="The back-up answer comes before CodeDeploy gives up",
        reason="CodeDeploy fails a deployment whose hook has not reported after one hour.",
        fix="set [hook] answer_within below 1h",
        level=Level.ERROR,
        source=f"{_CODEDEPLOY}/reference-appspec-file-structure-hooks.html",
        judge=_answers_in_time,
    ),
    TemplateRule(
        id="GR-T014",
        title="A hook function does not refer to the alias that its deployment shifts",
        reason="The alias' update policy needs the hook function, the function needs the alias: "
        "CloudFormation refuses the circle.",
        fix="give the function's name or its Version instead; the hook finds the alias itself",
        level=Level.ERROR,
        source="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-attribute-updatepolicy.html",
        judge=_no_circle,
    ),
    TemplateRule(
        id="GR-T015",
        title="A hook function may report to CodeDeploy",
        reason="Without codedeploy:PutLifecycleEventHookExecutionStatus no answer arrives: the "
        "deployment hangs for an hour and fails.",
        fix="allow codedeploy:PutLifecycleEventHookExecutionStatus on the deployment group's ARN",
        level=Level.ERROR,
        source=f"{_CODEDEPLOY}/tutorial-ecs-with-hooks-create-hooks.html",
        judge=_may_report,
    ),
)
