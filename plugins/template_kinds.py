"""Tells what a file is by what it holds, and finds the templates of a folder."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Mapping, Sequence
from greenroom.validators.template import TemplateKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.suite_yaml import Node

_CLOUDFORMATION = {"AWSTemplateFormatVersion", "Transform"}
_SERVICE = {"deploymentConfiguration", "deploymentController", "serviceName", "desiredCount"}
SYNTHESISED = ".template.json"
"""How the files end that the CDK writes."""


def kind_of(root: Node, shown: str) -> TemplateKind | None:
    """Return what the file ``shown`` is; None for what no rule knows."""
    if not isinstance(root, Mapping):
        return None
    keys = {entry.key for entry in root.entries}
    spec = PurePath(shown).name.lower().startswith("appspec") or _is_spec(root, keys)
    signs = (
        (bool(keys & _CLOUDFORMATION), TemplateKind.CLOUDFORMATION),
        (spec, TemplateKind.APPSPEC),
        (isinstance(root.get("Resources"), Mapping), TemplateKind.CLOUDFORMATION),
        ("containerDefinitions" in keys, TemplateKind.ECS_TASK),
        (isinstance(root.get("services"), Mapping), TemplateKind.COMPOSE),
        (bool(keys & _SERVICE), TemplateKind.ECS_SERVICE),
    )
    return next((kind for sign, kind in signs if sign), None)


def _is_spec(root: Mapping, keys: set[str]) -> bool:
    if isinstance(root.get("Resources"), Sequence):
        return True
    lower = {key.lower() for key in keys}
    return "version" in lower and ("resources" in lower or {"os", "hooks"} <= lower)


def found_in(path: Path) -> Iterator[Path]:
    """Yield ``path`` itself, or the templates that the CDK wrote below a folder (cdk.out)."""
    if path.is_dir():
        yield from sorted(path.rglob(f"*{SYNTHESISED}"))
    else:
        yield path
