"""Short ways to run a check of unit tests."""

from __future__ import annotations

import os
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_unit import read_unit
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, Mapping
from greenroom.plugins.workplace import Workplace

if TYPE_CHECKING:
    from greenroom.plugins.suite_unit import UnitWork
    from greenroom.validators.finding import Finding

DATA = Path(__file__).parents[1] / "data" / "unit"
GREEN = '<testsuite tests="1"><testcase classname="a" name="b"/></testsuite>'


def work(text: str, expect: str = "") -> UnitWork:
    """Read a check from the YAML of ``unit`` and of ``expect``."""
    whole = f"unit: {text}\n" + (f"expect: {expect}\n" if expect else "")
    document = Document(Path("a.suite.yaml"), whole)
    fields = Fields(document, Variables({}, {}, {"base": "main"}, Redactor()))
    tree = document.read()
    assert isinstance(tree, Mapping)
    node = tree.get("unit")
    assert node is not None
    return read_unit(fields, node, tree.get("expect"))


def place(root: Path, **environ: str) -> Workplace:
    """A workplace in ``root`` with a minute of time."""
    return Workplace(
        root=root,
        environ={**os.environ, **environ},
        until=time.monotonic() + 60,
        cache=root / ".cache",
        redactor=Redactor(),
        today=datetime.now(UTC).date(),
    )


def judged(root: Path, text: str, expect: str = "", **environ: str) -> Finding:
    """Run a check in ``root``."""
    return work(text, expect).run(place(root, **environ))


def shell(script: str) -> str:
    """A runner, as the YAML of its command, that runs ``script`` in a shell."""
    return f"[sh, -c, {yaml_text(script)}]"


def writing(report: str, status: int = 0) -> str:
    """A runner that writes ``report`` to junit.xml and ends with ``status``."""
    return shell(f"printf %s {shlex.quote(report)} >junit.xml; exit {status}")


def reported(root: Path, report: str, expect: str = "", *, status: int = 0) -> Finding:
    """Judge a runner that writes ``report``."""
    return judged(root, f"{{command: {writing(report, status)}, junit: junit.xml}}", expect)


def yaml_text(text: str) -> str:
    """Quote a text for YAML."""
    return "'" + text.replace("'", "''") + "'"
