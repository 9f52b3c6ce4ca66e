"""The kinds of check that are no plain request: the key of each, and who reads and runs it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from greenroom.validators.vocabulary import Kind, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.plugins.workplace import Work


@dataclass(frozen=True, slots=True)
class CheckKind:
    """What a key of a check means.

    Its module is ``greenroom.plugins.suite_KEY``, its reader ``read_KEY`` and the JSON Schema of
    its value ``check_KEY.schema.json``; ``expects`` is the definition of ``expect`` in the suite's
    schema (``limits``, or ``KEY/$defs/expect`` of its own file). ``timeout_s`` is the time that it
    has unless its check says otherwise.
    """

    key: str
    kind: Kind
    timeout_s: float
    stage: Stage = Stage.ARTIFACT
    expects: str = "limits"

    def read(self, fields: Fields, node: Node, expect: Node | None) -> Work:
        """Read the value of the key and of ``expect``; raises `SettingsError` at its place."""
        module = importlib.import_module(f"greenroom.plugins.suite_{self.key}")
        reader = cast("Callable[[Fields, Node, Node | None], Work]", vars(module)[self.reader])
        return reader(fields, node, expect)

    @property
    def reader(self) -> str:
        """The name of the function that reads it."""
        return f"read_{self.key}"

    @property
    def schema(self) -> str:
        """The file that holds the JSON Schema of its value."""
        return f"check_{self.key}.schema.json"


ARTIFACT_KINDS = {
    known.key: known
    for known in (
        CheckKind("image", Kind.IMAGE, 600.0),
        CheckKind("references", Kind.IMAGE, 60.0),
        CheckKind("static", Kind.STATIC, 300.0),
        CheckKind("template", Kind.TEMPLATE, 120.0),
        CheckKind("unit", Kind.UNIT, 900.0),
    )
}
"""What examines an artifact; the settings' table of that name may hold such checks, too."""
ENVIRONMENT_KINDS = {
    known.key: known
    for known in (
        CheckKind("dns", Kind.SMOKE, 10.0, Stage.ENVIRONMENT, "dns/$defs/expect"),
        CheckKind("lambda", Kind.INTEGRATION, 60.0, Stage.ENVIRONMENT, "lambda/$defs/expect"),
        CheckKind("scan", Kind.SECURITY, 600.0, Stage.ENVIRONMENT),
        CheckKind("security", Kind.SECURITY, 120.0, Stage.ENVIRONMENT),
        CheckKind("tcp", Kind.SMOKE, 10.0, Stage.ENVIRONMENT),
        CheckKind("tls", Kind.SECURITY, 15.0, Stage.ENVIRONMENT, "tls/$defs/expect"),
    )
}
"""What examines an environment."""
KINDS = ARTIFACT_KINDS | ENVIRONMENT_KINDS
"""Every key there is."""
