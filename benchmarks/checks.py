"""1,000 checks of an endpoint, beside plain pytest with one httpx client and bare pytest.

``python -m benchmarks.checks [--quick] [--json PATH]``. Each check is a GET with its status, a
header, a JSON Schema and three JSON values, against endpoints that answer at once and after 20 ms.
Wall times and the largest memory of whole processes, the subjects in turn within each round; the
ratio is the median over the rounds. Tavern is measured where ``TAVERN`` names a Python that has it:
it needs another pytest than ours. Exits 1 above the limits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks._table import Row, options, table, write
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = 1_000
LATENCIES_MS = (0, 20)
LIMIT_S = 300
FLOOR, PLAIN, OURS, WORKERS, TAVERN = (
    *("bare pytest, empty tests", "plain pytest + httpx + jsonschema", "greenroom"),
    *("greenroom -n2", "tavern"),
)
MOST = {0: 1.0, 20: 0.08}
"""The most that Greenroom may take of plain pytest's time, by the endpoint's latency."""
MOST_MEMORY = 2.0
SCHEMA = {
    "type": "object",
    "required": ["id", "name", "tags", "items"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string", "minLength": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "price"],
                "properties": {
                    "id": {"type": "integer", "minimum": 0},
                    "name": {"type": "string"},
                    "price": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}
_PLAIN = """
import json, os, httpx, jsonschema, pytest
SCHEMA = jsonschema.Draft202012Validator(json.load(open("schema.json")))

@pytest.fixture(scope="session")
def http():
    with httpx.Client(base_url=os.environ["TARGET"]) as client:
        yield client

@pytest.mark.parametrize("number", range({checks}))
def test_check(http, number):
    answer = http.get(f"/items/{number}")
    assert answer.status_code == 200
    assert "json" in answer.headers["content-type"]
    value = answer.json()
    SCHEMA.validate(value)
    assert value["id"] == 7
    assert value["name"] == "the green room"
    assert len(value["tags"]) == 3
"""
_CHECK = """  - name: check {number}
    http: {{get: /items/{number}}}
    expect:
      status: 200
      headers: {{content-type: {{contains: json}}}}
      schema: schema.json
      json: {{$.id: 7, $.name: the green room, $.tags: {{length: 3}}}}
"""
_TAVERN = """---
test_name: check {number}
stages:
  - name: get
    request: {{url: "{target}/items/{number}", method: GET}}
    response:
      status_code: 200
      strict: false
      headers: {{content-type: application/json}}
      json: {{id: 7, name: the green room}}
"""


class Took(NamedTuple):
    """What one process took."""

    seconds: float
    megabytes: float


def main() -> int:
    """Measure, print one table, and write the rows."""
    given = options("1,000 checks of an endpoint, beside plain pytest.")
    rows: list[Row] = []
    for latency in LATENCIES_MS:
        with tempfile.TemporaryDirectory() as folder, _server(latency) as target:
            _write(Path(folder), target)
            rows += _measured(Path(folder), target, latency, rounds=1 if given.quick else 5)
    lines = [
        (
            row.case,
            row.subject,
            row.metric,
            str(row.value),
            f"{row.ratio:.2f} x" if row.ratio else "",
        )
        for row in rows
    ]
    print(table(("case", "subject", "metric", "median", "of plain pytest"), lines))
    write(rows, given.json)
    above = [f"{row.case}, {row.metric}" for row in rows if _above(row)]
    print(f"\nABOVE THE LIMIT: {'; '.join(above)}" if above else "\nwithin the limits")
    return 1 if above else 0


def _above(row: Row) -> bool:
    latency = int(row.case.partition(" ")[0])
    most = MOST_MEMORY if row.metric == "MB" else MOST[latency]
    return row.subject == OURS and row.ratio is not None and row.ratio > most


@contextmanager
def _server(latency: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks._slow_server", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None  # noqa: S101, PT018 - pipes
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


def _write(folder: Path, target: str) -> None:
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "test_plain.py").write_text(_PLAIN.replace("{checks}", str(CHECKS)))
    empty = "".join(f"def test_{number}(): pass\n" for number in range(CHECKS))
    (folder / "test_empty.py").write_text(empty)
    checks = "".join(_CHECK.format(number=number) for number in range(CHECKS))
    (folder / "a.suite.yaml").write_text(f"version: 1\nname: s\nchecks:\n{checks}")
    stages = "".join(_TAVERN.format(number=number, target=target) for number in range(CHECKS))
    (folder / "test_checks.tavern.yaml").write_text(stages)


def _measured(folder: Path, target: str, latency: int, rounds: int) -> list[Row]:
    greenroom = ("-p", "greenroom.plugins.pytest_plugin", "--greenroom-target", target)
    ours = (sys.executable, *greenroom, "a.suite.yaml")
    commands: dict[str, tuple[str, ...]] = {
        FLOOR: (sys.executable, "test_empty.py"),
        PLAIN: (sys.executable, "test_plain.py"),
        OURS: ours,
        WORKERS: (*ours, "-p", "xdist", "-n2"),
    }
    if tavern := os.environ.get("TAVERN"):
        commands[TAVERN] = (tavern, "-p", "tavern", "test_checks.tavern.yaml")
    took: dict[str, list[Took]] = {subject: [] for subject in commands}
    for _ in range(rounds):
        for subject, (python, *arguments) in commands.items():
            took[subject].append(_run(python, arguments, folder, target))
    case = f"{latency} ms endpoint"
    plain = took[PLAIN]
    return [
        _row(
            case,
            subject,
            metric,
            [getattr(one, field) for one in seen],
            [getattr(one, field) for one in plain],
        )
        for metric, field in (("s", "seconds"), ("MB", "megabytes"))
        for subject, seen in took.items()
    ]


def _row(case: str, subject: str, metric: str, values: list[float], plain: list[float]) -> Row:
    ratio = median(one / other for one, other in zip(values, plain, strict=True))
    versus = None if subject == PLAIN else PLAIN
    return Row(case, subject, metric, round(median(values), 2), versus, ratio if versus else None)


def _run(python: str, arguments: list[str], folder: Path, target: str) -> Took:
    command = [python, "-m", "pytest", "-q", "--rootdir=.", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # what is installed is compiled once, not in each run
        "TARGET": target,
    }
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            tail = output.read()[-2000:].decode("utf-8", "replace")
            raise ToolError(f"{command} ended with {process.returncode}: {tail}")
    return Took(seconds, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    raise SystemExit(main())
