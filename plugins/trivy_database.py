"""Trivy's vulnerability database: fetched once, young and large enough, or an error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from greenroom.plugins.shared_cache import only_one
from greenroom.validators.errors import ServiceError, ToolError
from greenroom.validators.image import Database

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.trivy_command import Runner

DEFAULT_SOURCE = "Trivy's own mirrors"
_HINT = (
    "name a mirror in [trivy] database; or, where there is no network, bring the folder that "
    "`trivy image --download-db-only --cache-dir DIR` fills, and set [trivy] cache and offline"
)
_SERVER_S = 10.0
_FRACTION = 6
_NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL)
_NO_METADATA = (ValueError, RecursionError, KeyError, TypeError, AttributeError)
_CLOCKS = timedelta(hours=1)
"""How far clocks may differ."""


@dataclass(frozen=True, slots=True)
class KnownDatabase:
    """A database in use; ``identity`` differs wherever its content may."""

    facts: Database
    identity: str


def usable_database(runner: Runner, now: datetime) -> KnownDatabase:
    """Return the database, fetched if it is due; raises `ToolError` where it may not be used."""
    known = _of_server(runner) if runner.settings.server else _local(runner, now)
    age = now - _time(known.facts.updated)
    if age < -_CLOCKS:
        raise ToolError(
            f"the vulnerability database says that it is from {known.facts.updated}, still to come",
            hint=f"correct this machine's clock; else {_HINT}",
        )
    most = timedelta(hours=runner.settings.max_age_h)
    if age > most:
        raise ToolError(
            f"the vulnerability database of {known.facts.updated} is {_days(age)} old; "
            f"at most {_days(most)} are accepted",
            hint=_HINT,
        )
    return known


def _local(runner: Runner, now: datetime) -> KnownDatabase:
    if runner.settings.offline:
        return _read(runner, f"{runner.cache}")
    with only_one(runner.cache / ".greenroom.lock", runner.place.until, "Trivy's database"):
        source = _fetch(runner) if _due(runner.cache, now) else f"{runner.cache}"
    return _read(runner, source)


def _due(cache: Path, now: datetime) -> bool:
    try:
        return now >= _time(str(_metadata(cache)["NextUpdate"]))
    except (ToolError, KeyError):
        return True


def _fetch(runner: Runner) -> str:
    mirrors = runner.settings.database
    command = ["image", "--download-db-only", "--config=", "--quiet", "--no-progress"]
    command += [f"--cache-dir={runner.cache}", "--disable-telemetry", "--skip-version-check"]
    command += [f"--db-repository={mirror}" for mirror in mirrors]
    ran = runner.run(command, registry=True)
    if ran.status != 0:
        raise ToolError(f"the vulnerability database cannot be fetched: {ran.words}", hint=_HINT)
    return ", ".join(mirrors) or DEFAULT_SOURCE


def _read(runner: Runner, source: str) -> KnownDatabase:
    metadata, path = _metadata(runner.cache), runner.cache / "db" / "trivy.db"
    try:
        stat = path.stat()
    except OSError as error:
        raise ToolError(f"there is no vulnerability database in {runner.cache}", hint=_HINT) from (
            error
        )
    if stat.st_size < runner.settings.min_size:
        raise ToolError(
            f"the vulnerability database has {stat.st_size:,} bytes; "
            f"at least {runner.settings.min_size:,} are expected",
            hint=_HINT,
        )
    facts = _facts(metadata, source)
    return KnownDatabase(facts, f"{facts.updated}/{stat.st_size}/{stat.st_mtime_ns}")


def _metadata(cache: Path) -> dict[str, Any]:
    path = cache / "db" / "metadata.json"
    try:
        metadata = json.loads(path.read_bytes())
    except OSError as error:
        raise ToolError(f"there is no vulnerability database in {cache}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{path} is no JSON: {error}", hint=_HINT) from error
    if not isinstance(metadata, dict):
        raise ToolError(f"{path} holds no metadata", hint=_HINT)
    return metadata


def _of_server(runner: Runner) -> KnownDatabase:
    """Return the database that the server uses, as it tells at /version."""
    address = f"{runner.settings.server.rstrip('/')}/version"
    try:
        answer = httpx.get(address, timeout=_SERVER_S, follow_redirects=False)
        answer.raise_for_status()
        facts = _facts(answer.json()["VulnerabilityDB"], runner.settings.server)
    except (*_NO_ANSWER, *_NO_METADATA) as error:
        raise ServiceError(
            f"the Trivy server at {address} does not tell its database: {error}",
            hint="start `trivy server`, or correct [trivy] server",
        ) from error
    return KnownDatabase(facts, f"{runner.settings.server}/{facts.updated}")


def _facts(metadata: dict[str, Any], source: str) -> Database:
    updated = _time(str(metadata.get("UpdatedAt")))
    return Database(str(metadata.get("Version", "")), updated.isoformat(timespec="seconds"), source)


def _time(text: str) -> datetime:
    """Read Go's RFC 3339, whose nine digits of a second Python does not take."""
    whole, dot, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    try:
        read = datetime.fromisoformat(
            f"{whole}{dot}{rest[: min(digits, _FRACTION)]}{rest[digits:]}"
        )
    except ValueError as error:
        raise ToolError(
            f"the vulnerability database says {text!r} for a time", hint=_HINT
        ) from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _days(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h"
