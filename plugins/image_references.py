"""Finds every image that a file names, each with its line.

Known are compose files, ECS task definitions, CloudFormation and SAM templates (also CDK's
output), and the appspecs of ECS, whose task definition AWS is asked for.

Sources: the Compose Specification, "Services top-level element"; Amazon ECS Developer Guide, "Task
definition parameters"; CloudFormation's resource types with an Image or ImageUri.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.image_values import Parameters, image_text
from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.plugins.template_yaml import read_template
from greenroom.validators.errors import ServiceError
from greenroom.validators.references import ImageUse
from greenroom.validators.result import Location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Values
    from pathlib import Path

    from greenroom.plugins.suite_yaml import Node, Place

_BUILDS = frozenset({"AWS::CodeBuild::Project"})
"""Resources whose image builds the software and is no part of it."""
_LOOP = "Fn::ForEach::"
_KEYS = frozenset({"Image", "ImageIdentifier", "ImageUri"})
_TASK_KEYS = frozenset({"image"})
_EXTENDS = "its image is another service's: repeat it here"
_UNNAMED = "it names no image: check the file that does, or all of them merged"
_BUILT = "it is built on the spot: no image is named"


def find_images(path: Path, shown: str, given: Values[str, str]) -> tuple[ImageUse, ...]:
    """Return the images that the file at ``path`` names; ``given`` are values of its parameters.

    Raises `SettingsError` for a file that cannot be read as JSON or YAML.
    """
    root = read_template(path, shown)
    return tuple(_Finder(shown, Parameters.of(root, given)).found(root))


class _Finder:
    def __init__(self, shown: str, parameters: Parameters) -> None:
        self._shown = shown
        self._parameters = parameters

    def found(self, root: Node) -> Iterator[ImageUse]:
        for entry in root.entries if isinstance(root, Mapping) else ():
            match entry.key:
                case "services":
                    yield from self._services(entry.value)
                case "taskDefinition" | "containerDefinitions":
                    yield from self._within(entry.value, _TASK_KEYS)
                case "Resources" | "resources":
                    yield from self._resources(entry.value)

    def _services(self, services: Node) -> Iterator[ImageUse]:
        for service in services.entries if isinstance(services, Mapping) else ():
            yield from self._service(service.value, service.key, service.place)

    def _resources(self, resources: Node) -> Iterator[ImageUse]:
        """Yield the images of a template's resources, or of an appspec's targets."""
        match resources:
            case Mapping(entries=entries):
                for entry in entries:
                    if entry.key.startswith(_LOOP):
                        yield from self._loop(entry.value)
                    else:
                        yield from self._resource(entry.value, entry.key)
            case Sequence(items=targets):
                for target in targets:
                    yield from self._target(target)

    def _loop(self, loop: Node) -> Iterator[ImageUse]:
        """Yield the images of the resources that a loop makes: each once, with holes."""
        for part in loop.items if isinstance(loop, Sequence) else ():
            if isinstance(part, Mapping):
                yield from self._resources(part)

    def _service(self, service: Node, name: str, place: Place) -> Iterator[ImageUse]:
        image = service.get("image") if isinstance(service, Mapping) else None
        if image is not None:
            yield self._use(image, image.place)
        elif isinstance(service, Mapping) and service.get("build") is not None:
            yield ImageUse(f"service {name}", self._at(place), _BUILT)
        elif isinstance(service, Mapping) and service.get("extends") is not None:
            yield ImageUse(f"service {name}", self._at(place), _EXTENDS)
        elif isinstance(service, Mapping):
            yield ImageUse(f"service {name}", self._at(place), _UNNAMED)

    def _resource(self, resource: Node, name: str) -> Iterator[ImageUse]:
        if not isinstance(resource, Mapping):
            return
        kind, properties = resource.get("Type"), resource.get("Properties")
        if isinstance(kind, Scalar) and kind.raw in _BUILDS:
            return
        found = tuple(self._within(properties, _KEYS)) if properties is not None else ()
        yield from found
        package = properties.get("PackageType") if isinstance(properties, Mapping) else None
        if not found and isinstance(package, Scalar) and package.raw == "Image":
            yield ImageUse(f"function {name}", self._at(package.place), _BUILT)

    def _within(self, node: Node, keys: frozenset[str]) -> Iterator[ImageUse]:
        match node:
            case Sequence(items=items):
                for item in items:
                    yield from self._within(item, keys)
            case Mapping(entries=entries):
                for entry in entries:
                    if entry.key in keys:
                        yield self._use(entry.value, entry.place)
                    else:
                        yield from self._within(entry.value, keys)

    def _target(self, target: Node) -> Iterator[ImageUse]:
        """Yield the images of the task definition that an appspec deploys."""
        for entry in target.entries if isinstance(target, Mapping) else ():
            properties = entry.value.get("Properties") if isinstance(entry.value, Mapping) else None
            task = properties.get("TaskDefinition") if isinstance(properties, Mapping) else None
            if task is None:
                continue
            text, why = image_text(task, self._parameters)
            if why:
                yield ImageUse(text, self._at(task.place), why)
            else:
                yield from self._deployed(text, self._at(task.place))

    def _deployed(self, task: str, location: Location) -> Iterator[ImageUse]:
        try:
            for image in images_of_task(task):
                yield ImageUse(image, location)
        except ServiceError as error:
            why = f"its images could not be asked of AWS: {error}"
            yield ImageUse(task, location, why)

    def _use(self, node: Node, place: Place) -> ImageUse:
        text, why = image_text(node, self._parameters)
        return ImageUse(text, self._at(place), why)

    def _at(self, place: Place) -> Location:
        return Location(self._shown, place.line, place.column)


def images_of_task(task: str) -> tuple[str, ...]:
    """Return the images of an ECS task definition (its ARN); raises `ServiceError`."""
    from greenroom.plugins.aws import ask_aws  # noqa: PLC0415 - for appspecs only

    action = "ecs:DescribeTaskDefinition"
    answer = ask_aws("ecs", "describe_task_definition", action, taskDefinition=task)
    containers = answer["taskDefinition"].get("containerDefinitions", [])
    return tuple(container["image"] for container in containers if container.get("image"))
