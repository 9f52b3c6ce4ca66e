"""Reports of scanners with anything in any place: a report or an error, never a crash."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.programs import Ran
from greenroom.plugins.scan_nuclei import read_nuclei
from greenroom.plugins.scan_tools import SCANNERS
from greenroom.plugins.scan_zap import read_zap
from greenroom.plugins.static_text import Rooted
from greenroom.validators.errors import ToolError
from greenroom.validators.static import Report, StaticFacts, judge_static
from tests.support.scanners import RECORDED, TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    "http://[",
    "x\x00",
    -1,
    10**30,
    True,
    1e400,
    ["a"],
    {"a": []},
    "9" * 5000,
)
ROOTED = Rooted(Path("/root"), Path("/root"))
RAN = Ran(("tool",), 0, b"", "", 0.0)
FILES = sorted(path.name for path in RECORDED.iterdir() if path.suffix in {".json", ".jsonl"})
CHANGES = 150


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - a JSON value
    """Return each member of a JSON value, with what holds it."""
    held = value.items() if isinstance(value, dict) else ()
    for key, member in enumerate(value) if isinstance(value, list) else held:
        yield value, key
        yield from _places(member)


def _read(name: str, data: bytes) -> Report:
    if name.startswith("zap"):
        return read_zap(data, ROOTED, TARGET)[0]
    if name.startswith("nuclei"):
        return read_nuclei(data, (RECORDED / "nuclei.log").read_text(), TARGET)[0]
    return SCANNERS[name.partition("-")[0]].read(data, RAN, TARGET)


@pytest.mark.parametrize("name", FILES)
def test_a_report_with_anything_in_it_is_read_or_refused(name: str) -> None:
    whole = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    choices = random.Random(name)  # noqa: S311 - the same changes in each run
    for _ in range(CHANGES):
        changed = copy.deepcopy(whole)
        holder, key = choices.choice([*_places(changed)])
        holder[key] = choices.choice(ODD)
        try:
            report = _read(name, json.dumps(changed).encode())
        except ToolError:
            continue
        facts = StaticFacts(report.tool, "", report.results, report.examined or 0, "", "")
        json.dumps(judge_static(facts).to_json())
