"""Checks of scanners: read from the text of a suite, run on stand-ins that write what was recorded.

A stand-in is a program of the scanner's name that copies a file to the place that it is told, and
ends with a status.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_scan import ScanWork, read_scan
from greenroom.plugins.suite_yaml import Document, Mapping
from tests.support.servers import json_reply, serving
from tests.support.sites import place_at
from tests.support.suites import variables

if TYPE_CHECKING:
    from greenroom.plugins.allowed import Allowed
    from greenroom.validators.finding import Finding

RECORDED = Path(__file__).parents[1] / "data" / "scanners"
TARGET = "http://127.0.0.1:8080"
"""The target of the recorded reports; nothing is sent there."""
_PROGRAM = """#!/bin/sh
# Copies {source} to the argument after one of the options that name an output.
printf '%s\\n' "$@" > "{folder}/asked"
env > "{folder}/environment"
while [ $# -gt 1 ]; do
  case "$1" in --report-json-path|--output|--json_out|--jsonfile-pretty) cp "{source}" "$2" ;; esac
  shift
done
{after}
exit {status}
"""


def scan(node: str, expect: str = "") -> ScanWork:
    """Read ``scan: NODE`` and ``expect: EXPECT``."""
    text = f"scan: {node}\n" + (f"expect: {expect}\n" if expect else "")
    document = Document(Path("a.suite.yaml"), text)
    root = document.read()
    assert isinstance(root, Mapping)
    value = root.get("scan")
    assert value is not None
    return read_scan(Fields(document, variables()), value, root.get("expect"))


def stand_in(folder: Path, name: str, source: Path, status: int = 0, after: str = "") -> Path:
    """Write the program ``name`` into a folder of its own; return that."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / name
    program.write_text(
        _PROGRAM.format(source=source, folder=folder, status=status, after=after), encoding="utf-8"
    )
    program.chmod(0o755)
    return programs


def scanned(  # noqa: PLR0913 - a test gives one or two
    folder: Path,
    node: str,
    source: Path,
    *,
    status: int = 0,
    expect: str = "",
    after: str = "",
) -> Finding:
    """Let the scanner's stand-in scan a server that answers, and judge what it wrote."""
    work = scan(node, expect)
    name = getattr(work.order, "scanner").programs[-1]  # noqa: B009 - of the table, or a test is wrong
    programs = stand_in(folder, name, source, status, after)
    with serving(lambda _: json_reply({})) as server:
        scheme = "https" if name in {"sslyze", "testssl"} else "http"
        return sent(folder, work, f"{scheme}{server.url.removeprefix('http')}", programs)


def sent(
    folder: Path, work: ScanWork, target: str, programs: Path, allow: Allowed | None = None
) -> Finding:
    """Run a check against ``target`` with the programs of a folder first."""
    with place_at(target, root=folder, allow=allow) as place:
        environ = {"PATH": f"{programs}:/usr/bin:/bin", "SECRET_OF_OTHERS": "s"}
        return work.run(replace(place, environ=environ))


def reported(folder: Path, node: str, expect: str = "", target: str = TARGET) -> Finding:
    """Judge a report that lies in ``folder``."""
    return sent(folder, scan(node, expect), target, folder)


def zap(folder: Path, **changes: object) -> Path:
    """Write ZAP's report, with some of its keys changed."""
    said = json.loads((RECORDED / "zap.json").read_text(encoding="utf-8"))
    file = folder / "zap.json"
    file.write_text(json.dumps(said | {"created": ""} | changes), encoding="utf-8")
    return file


def nuclei(folder: Path, lines: str | None = None, log: str | None = None) -> None:
    """Write Nuclei's report and log; what is not given is as recorded, but of now."""
    for name, given in (("nuclei.jsonl", lines), ("nuclei.log", log)):
        text = (RECORDED / name).read_text(encoding="utf-8") if given is None else given
        text = text.replace("2026-11-23T13:00:0", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:0}")
        (folder / name).write_text(text, encoding="utf-8")
