"""Checks of static analysis, read from the text of a suite and run in a folder."""

from __future__ import annotations

import json
import os
import sysconfig
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.static_text import Rooted
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_static import StaticWork, read_static
from greenroom.plugins.suite_yaml import Document, Mapping
from greenroom.plugins.workplace import Workplace
from tests.support.suites import variables

if TYPE_CHECKING:
    from greenroom.validators.finding import Finding

RECORDED = Path(__file__).parents[1] / "data" / "static"
FILES = {"evidence": {"files": ["*"]}}


def static(node: str, expect: str = "") -> StaticWork:
    """Read ``static: NODE`` and ``expect: EXPECT``."""
    text = f"static: {node}\n" + (f"expect: {expect}\n" if expect else "")
    document = Document(Path("a.suite.yaml"), text)
    root = document.read()
    assert isinstance(root, Mapping)
    value = root.get("static")
    assert value is not None
    return read_static(Fields(document, variables()), value, root.get("expect"))


def workplace(root: Path, **environment: str) -> Workplace:
    """The tools beside this Python come first on the PATH."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    return Workplace(
        root=root,
        environ=os.environ | {"PATH": path} | environment,
        until=time.monotonic() + 60,
        cache=root,
        redactor=Redactor(),
        today=datetime.now(UTC).date(),
    )


def found(root: Path, node: str, expect: str = "", **environment: str) -> Finding:
    """Run ``static: NODE`` in ``root``."""
    return static(node, expect).run(workplace(root, **environment))


def wrote(root: Path, output: str | bytes, **more: object) -> Finding:
    """Return the finding on a tool that writes ``output``, SARIF unless ``more`` says otherwise."""
    data = output if isinstance(output, bytes) else output.encode()
    (root / "written").write_bytes(data)
    node = {"command": ["cat", "written"], "format": "sarif"} | FILES | more
    return found(root, json.dumps(node))


def sarif(*results: dict[str, Any], **run: object) -> str:
    """Return a SARIF log of one run."""
    driver = {"name": "lint", "version": "1.2"}
    runs = [{"tool": {"driver": driver}, "results": list(results)} | run]
    return json.dumps({"version": "2.1.0", "runs": runs})


def at(file: str, line: int = 1, **more: object) -> dict[str, Any]:
    """Return a SARIF result of rule R1 at a line of a file."""
    place = {"artifactLocation": {"uri": file}, "region": {"startLine": line}}
    said = {"ruleId": "R1", "message": {"text": "wrong"}}
    return said | {"locations": [{"physicalLocation": place}]} | more


def rooted(root: Path) -> Rooted:
    return Rooted(root, root)
