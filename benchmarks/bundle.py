"""The hook's Lambda bundle: its size for each target, and what its bytecode saves at a cold start.

Each bundle holds Greenroom without extras and one small suite; pip fetches from wherever it is
configured to. The imports are those of a gate (handler, pytest, the plugin, the HTTP client), from
this machine's unpacked bundle, by an interpreter that sees nothing else and writes no bytecode, as
on Lambda's read-only file system. Exits 1 if a bundle has 8 MB or more.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._table import Row, options, table, write
from greenroom.plugins.bundle import Order, build
from greenroom.plugins.bundle_target import ARCHITECTURES, PYTHONS, target
from greenroom.validators.errors import ToolError
from tests.support.bundles import HERE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.plugins.bundle import Bundle
    from greenroom.plugins.bundle_target import Target

LIMIT = 8_000_000
"""Bytes that a bundle without extras stays below."""
UNCHECKED = "unchecked hashes"
NONE = "none"
STALE = "stale"
_IMPORTS = """
import time
began = time.perf_counter()
import greenroom.plugins.hook, pytest, greenroom.plugins.pytest_plugin, httpx
print((time.perf_counter() - began) * 1000)
"""
_LIMIT_S = 60


def targets(*, quick: bool) -> list[Target]:
    """Return the targets to build for, this machine's first."""
    every = [target(python, architecture) for python in PYTHONS for architecture in ARCHITECTURES]
    return [HERE] if quick else [HERE, *(it for it in every if it != HERE)]


def built(folder: Path, where: Target) -> Bundle | str:
    """Build a bundle for ``where`` in ``folder``; return it, or why it could not be built."""
    (folder / "suites").mkdir(exist_ok=True)
    (folder / "suites" / "test_it.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    try:
        return build(Order(folder / f"{_name(where)}.zip", folder, where))
    except ToolError as error:
        return str(error).splitlines()[0]


def variants(archive: Path, folder: Path) -> dict[str, Path]:
    """Unpack ``archive`` with its own bytecode, with none, and with bytecode gone stale."""
    places = {name: folder / name.replace(" ", "-") for name in (UNCHECKED, NONE, STALE)}
    for name, place in places.items():
        with zipfile.ZipFile(archive) as content:
            content.extractall(place)
        if name != UNCHECKED:
            for cache in list(place.rglob("__pycache__")):
                shutil.rmtree(cache)
    checked = py_compile.PycInvalidationMode.TIMESTAMP
    compileall.compile_dir(places[STALE], quiet=2, invalidation_mode=checked)
    for source in places[STALE].rglob("*.py"):
        os.utime(source, (1, 1))
    return places


def import_ms(place: Path) -> float:
    """Return how long a gate's imports take from ``place``, in milliseconds."""
    command = [sys.executable, "-S", "-B", "-c", _IMPORTS]
    environment = {"PYTHONPATH": str(place), "PATH": os.defpath}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_LIMIT_S, check=True
    )
    return float(done.stdout)


def import_rows(archive: Path, folder: Path, *, rounds: int) -> list[Row]:
    """Measure each variant ``rounds`` times, in turn; return the medians."""
    places = variants(archive, folder)
    times: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(rounds):
        for name, place in places.items():
            times[name].append(import_ms(place))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return [
        Row("imports", name, "ms", value, UNCHECKED, value / medians[UNCHECKED])
        for name, value in medians.items()
    ]


def size_rows(sizes: Iterable[tuple[Target, Bundle | str]]) -> list[Row]:
    """Return the JSON rows of the bundles' sizes."""
    rows = []
    for where, bundle in sizes:
        if isinstance(bundle, str):
            rows.append(Row("size", _name(where), "not built", bundle))
            continue
        rows += [
            Row("size", _name(where), "zipped bytes", bundle.zipped),
            Row("size", _name(where), "unzipped bytes", bundle.unzipped),
            Row("size", _name(where), "bytecode", bundle.interpreter is not None),
        ]
    return rows


def size_line(where: Target, bundle: Bundle | str) -> list[str]:
    """Return the table's line of one target."""
    if isinstance(bundle, str):
        return [_name(where), "not built", bundle, "", ""]
    return [
        _name(where),
        f"{bundle.zipped / 1e6:.2f} MB",
        f"{bundle.unzipped / 1e6:.1f} MB",
        str(len(bundle.sizes)),
        "yes" if bundle.interpreter else f"no: python{where.python} is not on PATH",
    ]


def _name(where: Target) -> str:
    return f"{where.python}-{where.architecture}"


def main() -> int:
    """Measure, print the tables, write the rows."""
    given = options(__doc__.splitlines()[0])
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name:
        folder = Path(name)
        sizes = [(where, built(folder, where)) for where in targets(quick=given.quick)]
        archive = folder / f"{_name(HERE)}.zip"
        rounds = 3 if given.quick else 9
        imports = import_rows(archive, folder, rounds=rounds) if archive.is_file() else []
    head = ["target", "zipped", "unzipped", "files", "bytecode"]
    print(table(head, [size_line(where, bundle) for where, bundle in sizes]), end="\n\n")
    lines = [[row.subject, f"{row.value:.0f} ms", f"{row.ratio:.1f}x"] for row in imports]
    print(table(["bytecode", "imports", f"versus {UNCHECKED}"], lines))
    write([*size_rows(sizes), *imports], given.json)
    bad = [_name(w) for w, b in sizes if isinstance(b, str) or b.zipped >= LIMIT]
    print(f"below {LIMIT / 1e6:g} MB zipped: {len(sizes) - len(bad)} of {len(sizes)} targets")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
