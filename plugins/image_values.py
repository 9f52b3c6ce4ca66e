"""The values of image fields: texts, and what templates and compose files compute."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Mapping as Values

    from greenroom.plugins.suite_yaml import Node

_HOLE = re.compile(r"\$\{([^}]*)\}")
_COMPOSE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::?-(?P<default>.*))?")
_LONGEST, _SHOWN = 4096, 60
"""No image is longer; holes in holes would take ever more time."""
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_-]+)>")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values by parameter: those given, then the template's own defaults."""

    given: Values[str, str]
    defaults: Values[str, str]

    @classmethod
    def of(cls, root: Node, given: Values[str, str]) -> Parameters:
        """Read the defaults of a template; one that names an SSM parameter is no value."""
        found = root.get("Parameters") if isinstance(root, Mapping) else None
        defaults: dict[str, str] = {}
        for entry in found.entries if isinstance(found, Mapping) else ():
            kind, default = (
                entry.value.get(key) if isinstance(entry.value, Mapping) else None
                for key in ("Type", "Default")
            )
            from_ssm = isinstance(kind, Scalar) and kind.raw.startswith("AWS::SSM::")
            if isinstance(default, Scalar) and not from_ssm:
                defaults[entry.key] = default.raw
        return cls(given, defaults)

    def value(self, name: str) -> str | None:
        """Return the value of a parameter, or None."""
        return self.given.get(name, self.defaults.get(name))

    def fill(self, text: str) -> str:
        """Return ``text`` with the holes filled whose value is known; one too long as it is."""
        if len(text) > _LONGEST:
            return text
        return _PLACEHOLDER.sub(self._placeholder, _HOLE.sub(self._hole, text))

    def _hole(self, hole: re.Match[str]) -> str:
        name = hole[1]
        if (known := self.value(name)) is not None:
            return known
        if name.startswith("!"):
            return hole[0]
        default = None
        if found := _COMPOSE.fullmatch(name):
            default = self.given.get(found["name"], found["default"])
        return hole[0] if default is None else default

    def _placeholder(self, hole: re.Match[str]) -> str:
        return self.given.get(hole[1], hole[0])


def image_text(node: Node, parameters: Parameters) -> tuple[str, str]:
    """Return the text of an image field, and why it is not known (empty if it is)."""
    text, why = _text(node, parameters)
    if len(text) > _LONGEST:
        return f"{text[:_SHOWN]}…", "it is too long for an image"
    return text, why


def _text(node: Node, parameters: Parameters) -> tuple[str, str]:
    if isinstance(node, Scalar):
        return _plain(node, parameters)
    if isinstance(node, Mapping) and len(node.entries) == 1:
        entry = node.entries[0]
        return _computed(entry.key, entry.value, parameters)
    return "a list or mapping", "an image must be a text"


def _computed(function: str, value: Node, parameters: Parameters) -> tuple[str, str]:
    match function, value:
        case "Ref", Scalar(raw=name):
            known = parameters.value(name)
            return (known, "") if known else (f"${{{name}}}", f"{name} has no value here")
        case "Fn::Sub", Scalar(raw=text):
            return parameters.fill(text), ""
        case "Fn::Sub", Sequence(items=(Scalar(raw=text), Mapping() as names)):
            return _with(names, parameters).fill(text), ""
        case "Fn::Join", Sequence(items=(Scalar(raw=between), Sequence(items=parts))):
            return _joined(between, parts, parameters)
    return f"${{{function}}}", f"{function} is not computed here"


def _plain(node: Scalar, parameters: Parameters) -> tuple[str, str]:
    text = parameters.fill(node.raw)
    if found := _PLACEHOLDER.search(text):
        return text, f"{found[0]} is filled in later"
    return (text, "") if node.value is not None else ("nothing", "the image has no value")


def _with(names: Mapping, parameters: Parameters) -> Parameters:
    own = {}
    for entry in names.entries:
        text, why = image_text(entry.value, parameters)
        own[entry.key] = text if not why else f"${{{entry.key}}}"
    return Parameters(own, {**parameters.defaults, **parameters.given} | own)


def _joined(between: str, parts: tuple[Node, ...], parameters: Parameters) -> tuple[str, str]:
    texts = []
    for part in parts:
        text, why = image_text(part, parameters)
        texts.append(text if text.startswith("${") or not why else f"${{{text}}}")
    return between.join(texts), ""
