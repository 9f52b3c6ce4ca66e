"""Variables in suite files: ``${env.X}``, ``${settings.X}``, ``${release.X}``, ``${secret.X}``.

A text may hold any number of them; ``$${`` is a plain ``${``. A secret is the environment variable
of that name, whose value is redacted in every output. One that is not set is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.redaction import Redactor

_VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")
_NAME = re.compile(r"(env|settings|release|secret)\.([A-Za-z_][A-Za-z0-9_.-]*)")


@dataclass(frozen=True, slots=True)
class Variables:
    """Where variables come from; values of secrets are made known to ``redactor``."""

    environment: Mapping[str, str]
    settings: Mapping[str, str]
    release: Mapping[str, str]
    redactor: Redactor

    def fill(self, text: str) -> str:
        """Return ``text`` with every variable replaced; raises `UnresolvedError`."""
        return _VARIABLE.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        if found[1] is None:
            return "${"
        named = _NAME.fullmatch(found[1]) if found[0].endswith("}") else None
        if named is None:
            raise UnresolvedError(
                f"{found[0]!r} is not a variable",
                found.start(),
                hint="write ${env.X}, ${settings.X}, ${release.X} or ${secret.X}; $${ is plain",
            )
        return self._value(named[1], named[2], found.start())

    def _value(self, kind: str, name: str, offset: int) -> str:
        source, hint = {
            "env": (self.environment, f"set the environment variable {name}"),
            "secret": (self.environment, f"set the environment variable {name}"),
            "settings": (self.settings, f"give --greenroom-set {name}=VALUE"),
            "release": (self.release, f"give --greenroom-release {name}=VALUE"),
        }[kind]
        value = source.get(name)
        if value is None or (kind == "secret" and not value.strip()):
            state = "is empty" if value is not None else "is not set"
            known = ", ".join(sorted(source)) if kind in {"settings", "release"} else ""
            raise UnresolvedError(
                f"${{{kind}.{name}}} {state}", offset, hint + (f"; known: {known}" if known else "")
            )
        if kind == "secret":
            self.redactor.add(value)
        return value


class UnresolvedError(SettingsError):
    """A variable that is misspelt or has no value; ``offset`` is its place within the text."""

    def __init__(self, message: str, offset: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
