"""The table of scanners that Greenroom starts: command, exit statuses, and who reads the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.scan_tls import read_sslyze, read_testssl
from greenroom.plugins.scan_web import read_schemathesis, read_wapiti
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.programs import Ran
    from greenroom.validators.static import Report

_PORTS = {"http": 80, "https": 443}
_TLS_TESTS = (
    *("certinfo", "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "heartbleed"),
    *("openssl_ccs", "robot", "reneg", "compression", "fallback"),
)
SCHEMA = "/openapi.json"
"""Where an OpenAPI document is looked for, unless a check says otherwise."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a scanner is sent to.

    ``target`` is the environment's address, ``at`` a path below it, ``schema`` a file or a path
    below the target, ``report`` the file that the tool is to write.
    """

    target: str
    at: str
    schema: str
    report: str

    @property
    def place(self) -> tuple[str, int]:
        """Host and port; raises `SettingsError` where the target is no address of HTTP."""
        parts = urlsplit(self.target)
        if parts.scheme not in _PORTS:
            raise SettingsError(
                f"{parts.scheme}:// is no target for a scanner", hint="give one of http(s)://"
            )
        return parts.hostname or "", parts.port or _PORTS[parts.scheme]


@dataclass(frozen=True, slots=True)
class Scanner:
    """What is known of a scanner.

    ``programs`` are its names, the first found is used. The user's arguments come between those of
    ``before`` and ``after``. ``statuses`` are the exit statuses of a run that came to its end: what
    it found is in its report, whose ``read`` raises `ToolError` where it proves no scan.
    """

    name: str
    programs: tuple[str, ...]
    install: str
    before: Callable[[Aim], list[str]]
    after: Callable[[Aim], list[str]]
    read: Callable[[bytes, Ran, str], Report]
    statuses: frozenset[int] = frozenset({0})


def _schemathesis(aim: Aim) -> list[str]:
    return ["--no-color", "run", "--report", "json", "--report-json-path", aim.report]


def _document(aim: Aim) -> list[str]:
    if aim.schema.startswith(f"{aim.target}/"):
        return [aim.schema]
    return ["--url", f"{aim.target}{aim.at}".rstrip("/"), aim.schema]


def _wapiti(aim: Aim) -> list[str]:
    quiet = ["--flush-session", "--no-bugreport", "--verbose", "0"]
    return [*quiet, "--format", "json", "--detailed-report", "2", "--output", aim.report]


def _url(aim: Aim) -> list[str]:
    return ["--url", f"{aim.target}{aim.at or '/'}"]


def _sslyze(aim: Aim) -> list[str]:
    """Name the tests: without a name, and without a Mozilla configuration, sslyze does none."""
    quiet = ["--quiet", "--mozilla_config", "disable", "--json_out", aim.report]
    return [*quiet, *(f"--{name}" for name in _TLS_TESTS)]


def _host_and_port(aim: Aim) -> list[str]:
    _tls(aim)
    host, port = aim.place
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]


def _testssl(aim: Aim) -> list[str]:
    return ["--quiet", "--color", "0", "--warnings", "batch", "--jsonfile-pretty", aim.report]


def _tls_url(aim: Aim) -> list[str]:
    _tls(aim)
    return [aim.target]


def _tls(aim: Aim) -> None:
    if urlsplit(aim.target).scheme != "https":
        raise SettingsError(f"{aim.target} serves no TLS", hint="give a target of https://")


SCANNERS = {
    scanner.name: scanner
    for scanner in (
        Scanner(
            "schemathesis",
            ("schemathesis",),
            "pip install schemathesis (in an environment of its own)",
            _schemathesis,
            _document,
            read_schemathesis,
            frozenset({0, 1, 2}),
        ),
        Scanner(
            "sslyze",
            ("sslyze",),
            "pip install sslyze",
            _sslyze,
            _host_and_port,
            read_sslyze,
            frozenset({0, 1}),
        ),
        Scanner(
            "testssl",
            ("testssl.sh", "testssl"),
            "apt-get install testssl.sh, or see https://testssl.sh",
            _testssl,
            _tls_url,
            read_testssl,
            frozenset(range(242)),
        ),
        Scanner(
            "wapiti",
            ("wapiti",),
            "pip install wapiti3 (in an environment of its own)",
            _wapiti,
            _url,
            read_wapiti,
        ),
    )
}
"""Every scanner by its name."""
