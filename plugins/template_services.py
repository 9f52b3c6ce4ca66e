"""Facts of ECS services and of images: in CloudFormation, ECS' own JSON, and compose files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.plugins.template_nodes import (
    entries,
    flag,
    get,
    intrinsic,
    items,
    located,
    mentions,
    text,
    word,
)
from greenroom.validators.lifecycle import lifecycle_event
from greenroom.validators.template import Engine, Image, Shift, StageHook, Text
from greenroom.validators.template_spec_rules import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.suite_yaml import Node, Place
    from greenroom.validators.template import Hook

_SHIFTING = {"BLUE_GREEN", "LINEAR", "CANARY"}
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_]\w*|<[A-Z0-9_]+>")


def service(
    file: str,
    name: str,
    at: Place,
    node: Node | None,
    hook: Callable[[str, Node], Hook],
) -> Iterator[Shift | StageHook]:
    """Yield what an ECS service's definition says of its deployments by ECS itself."""
    controller = word(get(node, "DeploymentController", "Type"), "ECS")
    configuration = get(node, "DeploymentConfiguration")
    if controller in {"CODE_DEPLOY", "EXTERNAL"}:
        return
    listed = items(get(configuration, "LifecycleHooks")) or ()
    strategy = word(get(configuration, "Strategy"), "ROLLING")
    unknown = intrinsic(configuration) or strategy is None
    yield Shift(
        name=name,
        at=located(file, at),
        engine=Engine.ECS,
        gradual=None if unknown else strategy in _SHIFTING,
        alarms=_alarms(get(configuration, "Alarms")),
        rollback=_rollback(configuration),
        limited_role=False,
        hooks=tuple(_called(listed, hook)),
    )
    for one in listed:
        yield _stage_hook(file, name, one)


def _stage_hook(file: str, name: str, node: Node) -> StageHook:
    stages = items(get(node, "LifecycleStages"))
    arns = {name: set(mentions(get(node, name))) for name in ("HookTargetArn", "RoleArn")}
    return StageHook(
        at=located(file, node.place),
        service=name,
        pause=word(get(node, "TargetType")) == "PAUSE",
        target=text(get(node, "HookTargetArn")),
        role=text(get(node, "RoleArn")),
        stages=None if stages is None else tuple(text(stage) or Text((None,)) for stage in stages),
        own=frozenset(
            name
            for name, meant in arns.items()
            if len(meant) == 1 and all(one.endswith(".Arn") for one in meant)
        ),
    )


def _called(hooks: tuple[Node, ...], hook: Callable[[str, Node], Hook]) -> Iterator[Hook]:
    for one in hooks:
        target = get(one, "HookTargetArn")
        for stage in items(get(one, "LifecycleStages")) or ():
            if target is not None and (name := word(stage)) in STAGES:
                yield hook(lifecycle_event(name, "").value, target)


def _alarms(node: Node | None) -> int | None:
    if node is None or flag(get(node, "Enable"), default=None) is False:
        return 0
    names = items(get(node, "AlarmNames"))
    return None if names is None or intrinsic(node) else len(names)


def _rollback(configuration: Node | None) -> frozenset[str] | None:
    """Return what rolls the service back; None where that is not known."""
    if intrinsic(configuration):
        return None
    on: set[str] = set()
    unknown = False
    for name in ("DeploymentCircuitBreaker", "Alarms"):
        node = get(configuration, name)
        flags = [flag(get(node, key), default=False) for key in ("Enable", "Rollback")]
        if all(flags):
            on.add(name)
        elif intrinsic(node) or (None in flags and False not in flags):
            unknown = True
    return None if unknown and not on else frozenset(on)


def containers(file: str, node: Node | None) -> Iterator[Image]:
    """Yield the images of a task definition's containers."""
    for container in items(get(node, "ContainerDefinitions")) or ():
        name = word(get(container, "Name")) or "a container"
        yield from image(file, name, get(container, "Image"))


def image(file: str, name: str, node: Node | None) -> Iterator[Image]:
    """Yield the image that ``node`` names, if it is one; its variables are holes."""
    if node is None:
        return
    found = text(node) or Text((None,))
    if isinstance(node, Scalar):
        found = Text(tuple(_with_holes(node.raw)))
    yield Image(located(file, node.place), name, found)


def composed(file: str, root: Node) -> Iterator[Image]:
    """Yield the images of a compose file's services, but for those that it builds."""
    for entry in entries(get(root, "services")):
        if isinstance(entry.value, Mapping) and entry.value.get("build") is None:
            yield from image(file, entry.key, entry.value.get("image"))


def _with_holes(raw: str) -> Iterator[str | None]:
    last = 0
    for hole in _VARIABLE.finditer(raw):
        yield raw[last : hole.start()]
        yield None
        last = hole.end()
    yield raw[last:]
