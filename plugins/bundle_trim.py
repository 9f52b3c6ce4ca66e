"""What of a bundle's packages no hook needs: left out, so that functions load fast.

Only Greenroom's own dependencies are trimmed: their tests and benchmarks, and of Pygments the
languages, formats and styles that pytest does not use, as long as nobody else asks for Pygments.
"""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import PurePath
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from importlib.metadata import Distribution
    from pathlib import Path

_NEVER_RUN = frozenset({"tests", "benchmarks"})
_KEPT_OF_PYGMENTS = {
    "pygments/lexers": frozenset({"__init__.py", "_mapping.py", "diff.py", "python.py"}),
    "pygments/formatters": frozenset({"__init__.py", "_mapping.py", "terminal.py"}),
    "pygments/styles": frozenset({"__init__.py", "_mapping.py", "default.py"}),
}
"""What pytest uses to colour its output, by folder."""
_LEFTOVERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})


def trim(folder: Path, found: Mapping[str, Distribution], ours: Collection[str]) -> None:
    """Remove what no hook needs from ``folder``, where the distributions ``found`` are installed.

    ``ours`` are canonical names of those that are there for Greenroom's own sake. What tells when,
    where and by whom a package was installed goes as well, as do scripts; each RECORD lists what is
    left.
    """
    colours = "pygments" in ours and not any(map(_asks_for_pygments, found.items()))
    for name in sorted(set(found) & set(ours)):
        for file in found[name].files or ():
            path = PurePath(str(file))
            kept = _KEPT_OF_PYGMENTS.get(path.parent.as_posix()) if colours else None
            if _NEVER_RUN & set(path.parts[1:-1]) or (kept and path.name not in kept):
                (folder / path).unlink(missing_ok=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for record in sorted(folder.glob("*.dist-info/RECORD")):
        _rewrite(record, folder)


def remove(distribution: Distribution, folder: Path) -> None:
    """Remove every file of ``distribution`` from ``folder``, and nothing outside of it."""
    for file in distribution.files or ():
        if ".." not in PurePath(str(file)).parts:
            (folder / str(file)).unlink(missing_ok=True)


def _asks_for_pygments(named: tuple[str, Distribution]) -> bool:
    """Tell whether a distribution other than pytest needs Pygments, extras aside."""
    name, distribution = named
    needs = map(Requirement, distribution.requires or ())
    return name != "pytest" and any(
        canonicalize_name(it.name) == "pygments" and "extra" not in str(it.marker) for it in needs
    )


def _rewrite(record: Path, folder: Path) -> None:
    for name in _LEFTOVERS:
        record.with_name(name).unlink(missing_ok=True)
    with record.open(encoding="utf-8", newline="") as lines:
        kept = sorted(_present(csv.reader(lines), folder))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(kept)
    record.write_text(text.getvalue(), encoding="utf-8", newline="")


def _present(rows: Iterable[list[str]], folder: Path) -> Iterator[list[str]]:
    return (row for row in rows if row and ".." not in row[0] and (folder / row[0]).is_file())
