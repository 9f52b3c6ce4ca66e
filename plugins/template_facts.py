"""The facts of a template file, whatever its kind, and of the hook's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Mapping
from greenroom.plugins.template_nodes import entries, get, items, located, text, word
from greenroom.plugins.template_services import composed, containers, image, service
from greenroom.plugins.template_shifts import SAM_FUNCTION, Stack
from greenroom.plugins.template_specs import read_spec
from greenroom.validators.template import (
    Hook,
    HookLimits,
    Shift,
    StageHook,
    TemplateFacts,
    TemplateKind,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greenroom.plugins.hook_settings import HookSettings
    from greenroom.plugins.suite_yaml import Node
    from greenroom.validators.result import Location
    from greenroom.validators.template import Image


_STACKS = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")


def facts_of(file: str, kind: TemplateKind, root: Node) -> TemplateFacts:
    """Return what the rules know of the file ``file``, whose tree is ``root``."""
    match kind:
        case TemplateKind.CLOUDFORMATION:
            return _stack(Stack(file, root))
        case TemplateKind.APPSPEC:
            spec = read_spec(file, root)
            return TemplateFacts(file, kind, _size(root), spec=spec)
        case TemplateKind.ECS_SERVICE:
            return _service(file, root)
        case TemplateKind.ECS_TASK:
            images = tuple(containers(file, root))
            size = len(items(get(root, "containerDefinitions")) or ())
            return TemplateFacts(file, kind, size, images=images)
        case TemplateKind.COMPOSE:
            size = len(entries(get(root, "services")))
            return TemplateFacts(file, kind, size, images=tuple(composed(file, root)))


def _size(root: Node) -> int:
    return len(root.entries) if isinstance(root, Mapping) else 0


def _stack(stack: Stack) -> TemplateFacts:
    found: list[Shift | StageHook] = []
    images: list[Image] = []
    for name, kind in stack.kinds():
        properties = stack.properties(name)
        match kind:
            case "AWS::ECS::Service":
                place = stack.entries[name].place
                found += service(stack.file, name, place, properties, stack.hook)
            case "AWS::ECS::TaskDefinition":
                images += containers(stack.file, properties)
            case "AWS::Lambda::Function":
                images += image(stack.file, name, get(properties, "Code", "ImageUri"))
            case _ if kind == SAM_FUNCTION:
                images += image(stack.file, name, get(properties, "ImageUri"))
    return TemplateFacts(
        file=stack.file,
        kind=TemplateKind.CLOUDFORMATION,
        resources=len(stack.entries),
        functions=tuple(stack.functions.values()),
        shifts=(*stack.shifts(), *_shifts(found)),
        stage_hooks=_stage_hooks(found),
        images=tuple(images),
        unread=tuple(_unread(stack)),
    )


def _unread(stack: Stack) -> Iterator[tuple[Location, str]]:
    for name, kind in stack.kinds():
        at = located(stack.file, stack.entries[name].place)
        if name.startswith("Fn::"):
            yield at, f"what {name} makes"
        elif kind in _STACKS:
            yield at, f"the stack {name}, which is another template"


def _service(file: str, root: Node) -> TemplateFacts:
    name = word(get(root, "serviceName")) or "the service"

    def hook(event: str, target: Node) -> Hook:
        return Hook(event, located(file, target.place), text(target) or Text((None,)))

    found = tuple(service(file, name, root.place, root, hook))
    return TemplateFacts(
        file=file,
        kind=TemplateKind.ECS_SERVICE,
        resources=1,
        shifts=_shifts(found),
        stage_hooks=_stage_hooks(found),
    )


def _shifts(found: Iterable[Shift | StageHook]) -> tuple[Shift, ...]:
    return tuple(one for one in found if isinstance(one, Shift))


def _stage_hooks(found: Iterable[Shift | StageHook]) -> tuple[StageHook, ...]:
    return tuple(one for one in found if isinstance(one, StageHook))


def limits_of(settings: HookSettings) -> HookLimits:
    """Return what the hook's settings ask of a template; a suite handed off has no budget here."""
    budgets = {
        event.value: one.budget_s
        for event, one in settings.events.items()
        if one.budget_s is not None and not (one.hand_off or settings.hand_off)
    }
    if budgets:
        budgets[""] = max(budgets.values())
    return HookLimits(budgets, settings.reserve_s, settings.answer_within_s)
