"""Trivy's JSON report (SchemaVersion 2) as facts."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ToolError
from greenroom.validators.image import OperatingSystem, Scan, Scanner
from greenroom.validators.result import Location, Package, Result, Severity, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SCHEMA = 2
_FOUND = ("Vulnerabilities", "Secrets", "Misconfigurations", "Licenses")


def read_report(text: bytes) -> dict[str, Any]:
    """Return the report; raises `ToolError` where it is no complete report of Trivy's."""
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError(
            f"Trivy's report is cut short or no JSON: {error}", hint="run it again"
        ) from error
    if not isinstance(report, dict) or report.get("SchemaVersion") != _SCHEMA:
        raise ToolError(
            "Trivy's report is of a form that is not known",
            hint=f"use a Trivy that writes SchemaVersion {_SCHEMA}",
        )
    return report


def findings_of(report: dict[str, Any]) -> int:
    """Return how many things the report complains of, as Trivy's own exit status counts them."""
    with _understood():
        return sum(
            item.get("Status") != "PASS"
            for part in _results(report)
            for name in _FOUND
            for item in part.get(name) or ()
        )


def scan_of(
    report: dict[str, Any], scanners: Sequence[Scanner], *, platform: str, searched: int
) -> Scan:
    """Return the facts of one report; ``searched`` are the files where secrets were looked for."""
    with _understood():
        return _scan(report, scanners, platform, searched)


def package_urls(report: dict[str, Any]) -> frozenset[str]:
    """Return the package URLs of all packages in the report."""
    with _understood():
        return frozenset(
            str((package.get("Identifier") or {}).get("PURL", ""))
            for part in _results(report)
            for package in part.get("Packages") or ()
        )


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ToolError(
            f"Trivy's report cannot be understood: {error!r}", hint="use another release of Trivy"
        ) from error


def _scan(
    report: dict[str, Any], scanners: Sequence[Scanner], platform: str, searched: int
) -> Scan:
    metadata = report.get("Metadata") or {}
    layers = len(metadata.get("DiffIDs") or ())
    parts = _results(report)
    listed = [package for part in parts for package in part.get("Packages") or ()]
    packages = sum(bool(package.get("Version")) for package in listed)
    checks = sum(sum(_summary(part)) for part in parts)
    secrets = ("layers", layers) if layers else ("files searched for secrets", searched)
    amounts = {
        Scanner.VULN: ("packages", packages),
        Scanner.LICENSE: ("licences", sum(len(part.get("Licenses") or ()) for part in parts)),
        Scanner.SECRET: secrets,
        Scanner.MISCONFIG: ("configuration checks", checks),
    }
    return Scan(
        platform=platform,
        os=_system(metadata.get("OS") or {}),
        layers=layers,
        amounts=tuple((scanner, *amounts[scanner]) for scanner in scanners),
        ecosystems=tuple(sorted(_ecosystems(parts))),
        results=tuple(result for part in parts for result in _found(part)),
        licenses=tuple(result for part in parts for result in _licenses(part)),
        os_packages=sum(
            len(part.get("Packages") or ()) for part in parts if part.get("Class") == "os-pkgs"
        ),
    )


def _results(report: dict[str, Any]) -> list[dict[str, Any]]:
    return list(report.get("Results") or ())


def _system(data: dict[str, Any]) -> OperatingSystem | None:
    family = str(data.get("Family") or "")
    if not family or family == "none":
        return None
    return OperatingSystem(family, str(data.get("Name") or ""), bool(data.get("EOSL")))


def _summary(part: dict[str, Any]) -> tuple[int, int]:
    summary = part.get("MisconfSummary") or {}
    return int(summary.get("Successes", 0)), int(summary.get("Failures", 0))


def _ecosystems(parts: list[dict[str, Any]]) -> set[str]:
    return {
        str(part["Type"])
        for part in parts
        if part.get("Class") == "lang-pkgs" and part.get("Packages")
    }


def _found(part: dict[str, Any]) -> Iterator[Result]:
    for item in part.get("Vulnerabilities") or ():
        yield _vulnerability(item, part)
    yield from _counted(_secret(item, part) for item in part.get("Secrets") or ())
    yield from _counted(
        _misconfiguration(item, part)
        for item in part.get("Misconfigurations") or ()
        if item.get("Status") != "PASS"
    )


def _counted(results: Iterable[Result]) -> Iterator[Result]:
    """Yield the results with fingerprints of their own: a second one in a file is another one."""
    seen: Counter[str] = Counter()
    for result in results:
        seen[result.fingerprint] += 1
        if (number := seen[result.fingerprint]) > 1:
            yield replace(result, fingerprint=fingerprint_of(result.fingerprint, str(number)))
        else:
            yield result


def _vulnerability(item: dict[str, Any], part: dict[str, Any]) -> Result:
    name, kind = str(item["PkgName"]), str(part.get("Type", ""))
    severity = _severity(item)
    return Result(
        id=str(item["VulnerabilityID"]),
        message=str(item.get("Title") or item.get("Description") or item["VulnerabilityID"])[:300],
        level=severity.level,
        severity=severity,
        tool="trivy",
        package=Package(
            name=name,
            installed=str(item.get("InstalledVersion", "")),
            fixed=str(item.get("FixedVersion", "")),
            ecosystem=kind,
            path=str(item.get("PkgPath", "")),
            layer=_layer(item),
        ),
        link=str(item.get("PrimaryURL", "")),
        score=_score(item.get("CVSS") or {}),
        advice=_status(item),
        fingerprint=fingerprint_of(str(item["VulnerabilityID"]), kind, name),
    )


def _secret(item: dict[str, Any], part: dict[str, Any]) -> Result:
    severity, target = _severity(item), str(part.get("Target", ""))
    return Result(
        id=str(item["RuleID"]),
        message=str(item.get("Title", "a secret")),
        level=severity.level,
        severity=severity,
        tool="trivy",
        location=_location(target, item),
        advice="withdraw the secret: whoever has the artifact has it",
        fingerprint=fingerprint_of(str(item["RuleID"]), target),
    )


def _misconfiguration(item: dict[str, Any], part: dict[str, Any]) -> Result:
    severity, target = _severity(item), str(part.get("Target", ""))
    return Result(
        id=str(item["ID"]),
        message=str(item.get("Message") or item.get("Title") or item["ID"])[:300],
        level=severity.level,
        severity=severity,
        tool="trivy",
        location=_location(target, item.get("CauseMetadata") or {}),
        link=str(item.get("PrimaryURL", "")),
        advice=str(item.get("Resolution", "")),
        fingerprint=fingerprint_of(str(item["ID"]), target),
    )


def _licenses(part: dict[str, Any]) -> Iterator[Result]:
    for item in part.get("Licenses") or ():
        severity = _severity(item)
        name = str(item.get("PkgName") or item.get("FilePath") or "")
        yield Result(
            id=str(item["Name"]),
            message=f"licence {item['Name']} ({item.get('Category', 'unknown')})",
            level=severity.level,
            severity=severity,
            tool="trivy",
            package=Package(name, "", path=str(item.get("FilePath", ""))),
            link=str(item.get("Link", "")),
            fingerprint=fingerprint_of("license", str(item["Name"]), name),
        )


def _severity(item: dict[str, Any]) -> Severity:
    return Severity(str(item.get("Severity") or "UNKNOWN").lower())


def _score(ratings: dict[str, Any]) -> float | None:
    """Return the highest base score that any source gives, of the newest CVSS that it gives."""
    scores = [
        next((float(one[key]) for key in ("V40Score", "V3Score", "V2Score") if one.get(key)), None)
        for one in ratings.values()
    ]
    return max((score for score in scores if score is not None), default=None)


def _layer(item: dict[str, Any]) -> str:
    layer = item.get("Layer") or {}
    return str(layer.get("Digest") or layer.get("DiffID") or "")


def _location(target: str, lines: dict[str, Any]) -> Location:
    start, end = int(lines.get("StartLine") or 0), int(lines.get("EndLine") or 0)
    return Location(target.lstrip("/"), line=start, end_line=end)


def _status(item: dict[str, Any]) -> str:
    if fixed := item.get("FixedVersion"):
        return f"update {item['PkgName']} to {fixed}"
    status = str(item.get("Status") or "").replace("_", " ")
    return f"no version repairs it yet ({status})" if status else "no version repairs it yet"
