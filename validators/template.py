"""Facts of templates, and how our rules judge them.

A fact that a template leaves to its deployment (a parameter, a condition) is unknown: `None` where
its type allows it, a hole in a `Text`. A rule says of each thing it applies to whether it is met;
of an unknown one it says None, which is neither a result nor fine: it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.result import Level, Location, Result, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

TOOL = "greenroom lint"
"""The tool's name in results."""


class TemplateKind(StrEnum):
    """What a file is."""

    CLOUDFORMATION = "CloudFormation template"
    APPSPEC = "AppSpec"
    ECS_SERVICE = "ECS service definition"
    ECS_TASK = "ECS task definition"
    COMPOSE = "compose file"


class Engine(StrEnum):
    """Who carries a deployment out."""

    SAM = "SAM"
    """CodeDeploy, as SAM's DeploymentPreference sets it up."""
    CODEDEPLOY = "CodeDeploy"
    ECS = "ECS"


@dataclass(frozen=True, slots=True)
class Text:
    """A text as far as the template tells it: literal parts, and None for each hole."""

    parts: tuple[str | None, ...]

    @property
    def whole(self) -> str | None:
        """The text, or None if it has a hole."""
        return None if None in self.parts else "".join(part or "" for part in self.parts)

    @property
    def tail(self) -> str:
        """What stands after the last hole."""
        after: list[str] = []
        for part in reversed(self.parts):
            if part is None:
                break
            after.insert(0, part)
        return "".join(after)

    def begins(self, prefix: str) -> bool | None:
        """Tell whether it begins with ``prefix``; None where a hole comes too early."""
        head = ""
        for part in self.parts:
            if part is None:
                return None if prefix.startswith(head) else False
            head += part
            if len(head) >= len(prefix):
                break
        return head.startswith(prefix)

    def __str__(self) -> str:
        return "".join("${…}" if part is None else part for part in self.parts)


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function of a template; ``name`` is its logical id.

    ``function_name`` is None where CloudFormation makes one up. ``preference`` tells whether it is
    itself deployed by a traffic shift, ``may_report`` whether its role allows CodeDeploy's report
    call. ``mentions`` are the names that its properties refer to.
    """

    name: str
    at: Location
    function_name: Text | None
    timeout_s: float | None
    preference: bool | None
    may_report: bool | None
    mentions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hook:
    """A function that a deployment calls at ``event``; ``function`` is the template's, if it is."""

    event: str
    at: Location
    target: Text
    function: Function | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """A deployment of the resource ``name`` that moves traffic or replaces tasks.

    ``gradual`` tells whether traffic is shifted (not a plain replacement in place), ``alarms`` how
    many alarms watch it, ``rollback`` on what it is rolled back. ``limited_role`` tells whether
    its role may invoke functions named CodeDeployHook_… alone. ``aliases`` are the names by which
    the template can mention the alias that is shifted.
    """

    name: str
    at: Location
    engine: Engine
    gradual: bool | None
    alarms: int | None
    rollback: frozenset[str] | None
    limited_role: bool | None
    hooks: tuple[Hook, ...] = ()
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StageHook:
    """A lifecycle hook of an ECS service; None and empty stand for what it lacks.

    ``stages`` is None where the list as a whole is unknown. ``own`` names those of HookTargetArn
    and RoleArn that are ARNs of the template's own resources.
    """

    at: Location
    service: str
    pause: bool
    target: Text | None
    role: Text | None
    stages: tuple[Text, ...] | None
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference of the container or function ``name``."""

    at: Location
    name: str
    reference: Text


@dataclass(frozen=True, slots=True)
class Spec:
    """An AppSpec. ``platform`` is ECS, Lambda, Server or empty (unknown); ``problems`` what lacks.

    ``hooks`` are the events it names, each with its place.
    """

    at: Location
    platform: str
    problems: tuple[tuple[Location, str], ...]
    resource_problems: tuple[tuple[Location, str], ...]
    hooks: tuple[tuple[Location, str], ...]


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What the rules know of one file; ``resources`` counts what was examined in it.

    ``unread`` are parts that no rule can judge (a loop, a stack of another file), with their names.
    """

    file: str
    kind: TemplateKind
    resources: int
    functions: tuple[Function, ...] = ()
    shifts: tuple[Shift, ...] = ()
    stage_hooks: tuple[StageHook, ...] = ()
    images: tuple[Image, ...] = ()
    spec: Spec | None = None
    unread: tuple[tuple[Location, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HookLimits:
    """The hook's settings that a template must match.

    ``budgets_s`` is the suite's worst case by lifecycle event (CodeDeploy's name); "" is the one
    that holds for any other.
    """

    budgets_s: Mapping[str, float] = field(default_factory=dict)
    reserve_s: float = 20.0
    answer_within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says of one thing: ``said`` is why it is not met, or what is not known."""

    at: Location
    subject: str
    met: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """A rule with its stable id; ``source`` is the page of AWS's documentation that says so."""

    id: str
    title: str
    reason: str
    fix: str
    level: Level
    source: str
    judge: Callable[[TemplateFacts, HookLimits], Iterable[Judgement]]


@dataclass(frozen=True, slots=True)
class Linted:
    """What rules said of files: results, judgements that were met or not, and those unknown."""

    results: tuple[Result, ...]
    judged: int
    unknown: tuple[str, ...]


def lint(
    facts: Collection[TemplateFacts], rules: Collection[TemplateRule], limits: HookLimits
) -> Linted:
    """Judge every file by every rule."""
    results: dict[str, Result] = {}
    unknown: list[str] = []
    judged = 0
    for one in facts:
        unknown += [f"no rule judges {said}: {at}" for at, said in one.unread]
        for rule in rules:
            for judgement in rule.judge(one, limits):
                if judgement.met is None:
                    unknown.append(f"{rule.id} not judged: {judgement.at}: {judgement.said}")
                    continue
                judged += 1
                if not judgement.met:
                    result = result_of(rule, judgement)
                    results.setdefault(f"{result.fingerprint} {judgement.at}", result)
    return Linted(tuple(results.values()), judged, tuple(dict.fromkeys(unknown)))


def result_of(rule: TemplateRule, judgement: Judgement) -> Result:
    """Return the result of a judgement that was not met."""
    return Result(
        id=rule.id,
        message=judgement.said,
        level=rule.level,
        severity=rule.level.severity,
        tool=TOOL,
        location=judgement.at,
        link=rule.source,
        advice=rule.fix,
        fingerprint=fingerprint_of(rule.id, judgement.at.file, judgement.subject),
    )
