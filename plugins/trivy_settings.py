"""What the settings say of Trivy: the [trivy] table.

::

    [trivy]
    cache     = "~/.cache/trivy"             folder of its databases
    max_age   = "7d"                         an older vulnerability database is an error
    min_size  = "4KiB"                       a smaller one too
    offline   = false                        nothing is fetched: the database is there already
    database  = ["mirror.example/trivy-db:2"]   where it is fetched from, in this order
    server    = "http://127.0.0.1:4954"      a Trivy server scans; it has the database
    token_env = "TRIVY_TOKEN"                the environment variable that holds its token
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIVY_KEYS = ("cache", "max_age", "min_size", "offline", "database", "server", "token_env")
_AGE = re.compile(r"([0-9]{1,6})(h|d)")
_HOURS = {"h": 1, "d": 24}
_SIZE = re.compile(r"([0-9]{1,6})(KiB|MiB)")
_OCTETS = {"KiB": 1024, "MiB": 1024 * 1024}
_SERVER = re.compile(r"https?://[^\s/?#@]+/?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class TrivySettings:
    """How Trivy is used; ``cache`` is None where it is the user's own, ``max_age_h`` is hours.

    ``min_size`` is in octets. ``token_env`` names an environment variable, never the token itself.
    """

    cache: Path | None = None
    max_age_h: int = 7 * 24
    min_size: int = 4096
    offline: bool = False
    database: tuple[str, ...] = ()
    server: str = ""
    token_env: str = ""

    def cache_folder(self, environ: Mapping[str, str]) -> Path:
        """Return the folder of Trivy's databases, as Trivy itself would choose it."""
        if self.cache is not None:
            return self.cache
        home = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "~")) / ".cache")
        return Path(home).expanduser() / "trivy"


def read_trivy(table: Mapping[str, Any] | None, where: str) -> TrivySettings:
    """Read the [trivy] table; ``where`` is the settings file, for the `SettingsError`s."""
    if table is None:
        return TrivySettings()
    where = f"{where}: trivy"
    if unknown := sorted(set(table) - set(TRIVY_KEYS)):
        raise SettingsError(
            f"{where}: unknown key {', '.join(unknown)}",
            hint=f"known keys: {', '.join(TRIVY_KEYS)}",
        )
    cache = _text(table, "cache", where)
    return TrivySettings(
        cache=Path(cache).expanduser() if cache else None,
        max_age_h=_measure(table, "max_age", where, (_AGE, _HOURS, "7d", "12h")),
        min_size=_measure(table, "min_size", where, (_SIZE, _OCTETS, "4KiB", "100MiB")),
        offline=_flag(table, "offline", where),
        database=_mirrors(table.get("database", []), f"{where}.database"),
        server=_matching(table, "server", where, (_SERVER, "http://127.0.0.1:4954")),
        token_env=_matching(table, "token_env", where, (_NAME, "TRIVY_TOKEN")),
    )


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (key in table and not value.strip()):
        raise SettingsError(f"{where}.{key} is {value!r}, not a text", hint="quote it")
    return value


def _matching(
    table: Mapping[str, Any], key: str, where: str, form: tuple[re.Pattern[str], str]
) -> str:
    text = _text(table, key, where)
    if text and not form[0].fullmatch(text):
        raise SettingsError(f"{where}.{key} is {text!r}", hint=f'for example: {key} = "{form[1]}"')
    return text


def _measure(
    table: Mapping[str, Any],
    key: str,
    where: str,
    form: tuple[re.Pattern[str], Mapping[str, int], str, str],
) -> int:
    grammar, units, default, other = form
    found = grammar.fullmatch(str(table.get(key, default)))
    if found is None or int(found[1]) == 0:
        raise SettingsError(
            f"{where}.{key} is {table[key]!r}", hint=f'for example: "{default}" or "{other}"'
        )
    return int(found[1]) * units[found[2]]


def _flag(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise SettingsError(f"{where}.{key} is {value!r}", hint="give true or false")
    return value


def _mirrors(value: object, where: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    good = isinstance(listed, list) and all(
        isinstance(item, str) and item and item.isprintable() and not set(item) & set(" ,")
        for item in listed
    )
    if not good or not isinstance(listed, list):
        raise SettingsError(
            f"{where} is {value!r}, not a list of repositories",
            hint='for example: ["mirror.gcr.io/aquasec/trivy-db:2"]',
        )
    return tuple(listed)
