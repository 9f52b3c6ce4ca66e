"""Reads what sslyze and testssl.sh write, as `Report`: which tests of TLS were really done.

The shapes are those of sslyze 6.3 (``--json_out``) and testssl.sh 3.0 (``--jsonfile-pretty``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.scan_results import Rated, Spot, cwe_of, once, scan_result
from greenroom.plugins.static_text import listing, mapping, read_json, text, whole
from greenroom.validators.errors import ToolError
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.programs import Ran
    from greenroom.validators.result import Result

_OLD = {
    "ssl_2_0": ("SSL 2.0", "critical"),
    "ssl_3_0": ("SSL 3.0", "high"),
    "tls_1_0": ("TLS 1.0", "medium"),
    "tls_1_1": ("TLS 1.1", "medium"),
}
_WEAK = re.compile(r"NULL|EXPORT|RC4|RC2|_DES_|3DES|anon|MD5", re.IGNORECASE)
_FLAWS = (
    ("heartbleed", "is_vulnerable_to_heartbleed", True, "Heartbleed", Rated("critical", "CWE-126")),
    (
        *("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", True),
        *("CCS injection (CVE-2014-0224)", Rated("high", "CWE-326")),
    ),
    (
        *("tls_compression", "supports_compression", True),
        *("compression is supported (CRIME)", Rated("medium", "CWE-310")),
    ),
    (
        *("session_renegotiation", "supports_secure_renegotiation", False),
        *("no secure renegotiation", Rated("medium", "CWE-310")),
    ),
    (
        *("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", True),
        *("clients may renegotiate without end", Rated("medium", "CWE-400")),
    ),
    (
        *("tls_fallback_scsv", "supports_fallback_scsv", False),
        *("a downgrade is not noticed (TLS_FALLBACK_SCSV)", Rated("low", "CWE-757")),
    ),
)
"""Scan command, field, its bad value, and what that means."""
_COMPLIANCE = re.compile(rb"^ {8}\* (\w+): (.+)$", re.MULTILINE)
_NO_TEST = {"OK", "INFO", "DEBUG"}


def read_sslyze(data: bytes, ran: Ran, target: str) -> Report:
    """Read sslyze's results: the scan commands that it completed."""
    said = mapping(read_json(data))
    scans = [mapping(one) for one in listing(said.get("server_scan_results"))]
    if not scans:
        raise ToolError("sslyze scanned no server", hint="run it by hand")
    for scan in scans:
        if scan.get("connectivity_status") != "COMPLETED":
            why = text(scan.get("connectivity_error_trace")).strip().splitlines() or ["no reason"]
            raise ToolError(
                f"sslyze could not connect: {why[-1]}", hint="does the target serve TLS?"
            )
    done = {
        name: mapping(one.get("result"))
        for name, one in _commands(scans)
        if one.get("status") == "COMPLETED"
    }
    return Report(
        results=once([*_tls_results(done, target), *_compliance(ran.output, target)]),
        problems=tuple(
            f"{name}: {text(one.get('error_reason')) or 'error'}"
            for name, one in _commands(scans)
            if one.get("status") == "ERROR"
        ),
        tool="sslyze",
        version=text(said.get("sslyze_version")),
        examined=len(done),
        what="TLS tests",
    )


def _commands(scans: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for scan in scans:
        for name, one in mapping(scan.get("scan_result")).items():
            yield name, mapping(one)


def _tls_results(done: dict[str, dict[str, Any]], target: str) -> Iterator[Result]:
    yield from _versions(done, target)
    for command, key, bad, words, rated in _FLAWS:
        if mapping(done.get(command)).get(key) is bad:
            yield _found(command.replace("_", "-"), words, rated, target, key)
    robot = text(mapping(done.get("robot")).get("robot_result"))
    if robot.startswith("VULNERABLE"):
        yield _found("robot", f"ROBOT: {robot}", Rated("high", "CWE-203"), target)
    for deployment in listing(mapping(done.get("certificate_info")).get("certificate_deployments")):
        yield from _certificate(mapping(deployment), target)


def _versions(done: dict[str, dict[str, Any]], target: str) -> Iterator[Result]:
    for name, found in done.items():
        version = name.removesuffix("_cipher_suites")
        if version == name:
            continue
        if version in _OLD and found.get("is_tls_version_supported") is True:
            words, severity = _OLD[version]
            rated = Rated(severity, "CWE-326", advice="serve TLS 1.2 and 1.3 alone")
            yield _found(version.replace("_", "-"), f"{words} is supported", rated, target)
        for item in listing(found.get("accepted_cipher_suites")):
            suite = mapping(mapping(item).get("cipher_suite"))
            if suite.get("is_anonymous") is True or _WEAK.search(text(suite.get("name"))):
                rated = Rated("high", "CWE-327", advice="serve AEAD cipher suites alone")
                words = f"the cipher suite {text(suite.get('name'))} is accepted"
                yield _found("weak-cipher", words, rated, target, text(suite.get("name")))


def _certificate(deployment: dict[str, Any], target: str) -> Iterator[Result]:
    stores = [mapping(one) for one in listing(deployment.get("path_validation_results"))]
    if not any(one.get("was_validation_successful") is True for one in stores):
        why = next(
            (text(one.get("validation_error")) for one in stores), "no trust store was asked"
        )
        yield _found("certificate", why.partition(" (")[0], Rated("high", "CWE-295"), target)
    if deployment.get("verified_chain_has_sha1_signature") is True:
        words = "the certificate chain is signed with SHA-1"
        yield _found("certificate-sha1", words, Rated("medium", "CWE-328"), target)


def _compliance(output: bytes, target: str) -> Iterator[Result]:
    """Return what misses the Mozilla configuration that ``--mozilla_config`` asked for."""
    for key, words in _COMPLIANCE.findall(output):
        rated = Rated("medium", link="https://ssl-config.mozilla.org/")
        said = words.decode("utf-8", "replace")
        yield _found(f"mozilla-{key.decode()}", said, rated, target)


def _found(identity: str, words: str, rated: Rated, target: str, key: str = "") -> Result:
    return scan_result("sslyze", identity, words, rated, Spot(target, key=key))


def read_testssl(data: bytes, _ran: Ran, target: str) -> Report:
    """Read testssl.sh's JSON: the tests that it did; only a finished scan has a number of seconds.

    A test that it could not do (WARN) is a result of unknown severity.
    """
    said = mapping(read_json(data))
    hosts = [mapping(one) for one in listing(said.get("scanResult"))]
    entries = [
        mapping(item) for host in hosts for listed in host.values() for item in listing(listed)
    ]
    fatal = [one for one in hosts if text(one.get("id"))]
    if fatal or not whole(said.get("scanTime")) or not entries:
        why = "; ".join(text(one.get("finding")) for one in fatal)
        raise ToolError(
            f"testssl.sh did not come to its end: {why or said.get('scanTime') or 'no test'}",
            hint="does the target serve TLS?",
        )
    tested = [one for one in entries if _severity(one) not in {"WARN", "FATAL"}]
    return Report(
        results=once(_rated(one, target) for one in entries if _severity(one) not in _NO_TEST),
        problems=tuple(text(one.get("finding")) for one in entries if _severity(one) == "FATAL"),
        tool="testssl.sh",
        version=text(said.get("version")).partition(" ")[0],
        examined=len(tested),
        what="TLS tests",
    )


def _severity(entry: dict[str, Any]) -> str:
    return text(entry.get("severity"))


def _rated(entry: dict[str, Any], target: str) -> Result:
    severity, words = _severity(entry), text(entry.get("finding"))
    cves = text(entry.get("cve"))
    said = (
        f"{text(entry.get('id'))}: {'could not be tested: ' if severity == 'WARN' else ''}{words}"
    )
    return scan_result(
        "testssl.sh",
        text(entry.get("id")),
        f"{said} [{cves}]" if cves else said,
        Rated(severity, cwe_of(text(entry.get("cwe")))),
        Spot(target),
    )
