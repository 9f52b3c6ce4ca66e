"""What scanners call a success having examined nothing of the service.

The scanners need environments of their own: what they wrote was recorded (tests/data/scanners).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.support.scanners import RECORDED, nuclei, reported, scanned, zap
from tests.support.silent import SilentPass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.validators.finding import Finding

ZAP = "{report: zap.json, format: zap, within: 1m}"
NUCLEI = "{report: nuclei.jsonl, log: nuclei.log, format: nuclei, within: 1m}"
DOWN = '{"requests": "410", "errors": "410", "templates": "104", "startedAt": ""}\n'
DONE = "[INF] Scan completed in 2.1s. 0 matches found.\n"


def _said(words: str) -> Callable[[Path], str]:
    return lambda _folder: words


def _recorded(tool: str, name: str) -> Callable[[Path], Finding]:
    return lambda folder: scanned(folder, tool, RECORDED / f"{name}.json")


def _zap(**changes: object) -> Callable[[Path], Finding]:
    def judged(folder: Path) -> Finding:
        zap(folder, **changes)
        return reported(folder, ZAP)

    return judged


def _zap_of_yesterday(folder: Path) -> Finding:
    os.utime(zap(folder, site=[{"@name": "http://127.0.0.1:8080"}]), (time.time() - 86_400,) * 2)
    return reported(folder, ZAP)


def _nuclei(log: str) -> Callable[[Path], Finding]:
    def judged(folder: Path) -> Finding:
        nuclei(folder, lines="", log=log)
        return reported(folder, NUCLEI)

    return judged


ROWS = (
    SilentPass(
        "schemathesis-unauthorized",
        "schemathesis 4.32",
        "every operation answers 401",
        _said("recorded: exit 0, 3 operations tested"),
        _recorded("schemathesis", "schemathesis-unauthorized"),
    ),
    SilentPass(
        "schemathesis-not-found",
        "schemathesis 4.32",
        "every operation answers 404",
        _said("recorded: exit 0, 3 operations tested"),
        _recorded("schemathesis", "schemathesis-not-found"),
    ),
    SilentPass(
        "wapiti-wrong-path",
        "wapiti 3.2",
        "a path that answers 404",
        _said("recorded: exit 0, 1 page crawled"),
        _recorded("wapiti", "wapiti-wrong-path"),
    ),
    SilentPass(
        "sslyze-nothing",
        "sslyze 6.3",
        "no Mozilla configuration, and no test named",
        _said("recorded: exit 0"),
        _recorded("sslyze", "sslyze-nothing"),
    ),
    SilentPass(
        "zap-no-site",
        "ZAP's JSON report",
        "the service is down",
        _said("a report without alerts"),
        _zap(site=[]),
    ),
    SilentPass(
        "zap-another-site",
        "ZAP's JSON report",
        "another service was scanned",
        _said("a report without alerts"),
        _zap(site=[{"@name": "http://127.0.0.1:9090", "alerts": []}]),
    ),
    SilentPass(
        "zap-no-rule",
        "ZAP's JSON report",
        "a site of which nothing is told",
        _said("a report without alerts"),
        _zap(site=[{"@name": "http://127.0.0.1:8080", "alerts": []}], insights=[]),
    ),
    SilentPass(
        "zap-of-yesterday",
        "ZAP's JSON report",
        "the report of yesterday",
        _said("a report without alerts"),
        _zap_of_yesterday,
    ),
    SilentPass(
        "nuclei-empty",
        "Nuclei's JSON Lines",
        "an empty file and no log",
        _said("an empty file, as for a clean service"),
        _nuclei(""),
    ),
    SilentPass(
        "nuclei-down",
        "Nuclei's JSON Lines",
        "the service is down",
        _said("an empty file, as for a clean service"),
        _nuclei(DOWN + DONE),
    ),
)
