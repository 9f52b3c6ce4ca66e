"""Runs pytest with the plugin in a process of its own, and reads what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PLUGINS = ("-p", "greenroom.plugins.pytest_plugin", "-p", "xdist")
LIMIT_S = 60
ALONE: tuple[str, ...] = ()
TWO_WORKERS = ("-n2",)


@dataclass(frozen=True)
class Ran:
    """A finished pytest process and the folder of its documents."""

    code: int
    out: str
    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        return loaded

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def verdict(self) -> str:
        return str(self.record["verdict"])

    @property
    def reasons(self) -> str:
        return "\n".join(self.record["reasons"])

    def check(self, name: str) -> dict[str, Any]:
        [found] = [check for check in self.record["checks"] if check["name"] == name]
        return dict(found)


def environment() -> dict[str, str]:
    """Load only the plugins that are named: it runs faster, and alike on every machine.

    The run shall not take itself for the worker that this test may run in.
    """
    callers = {name: at for name, at in os.environ.items() if not name.startswith("PYTEST_XDIST_")}
    return callers | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(folder: Path, *arguments: str, report: str | None = "out") -> Ran:
    """Run pytest in ``folder``; with a report folder unless told otherwise."""
    asked = () if report is None else ("--greenroom-report", report)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *asked, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, folder / (report or "out"))
