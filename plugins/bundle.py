"""A Lambda function's bundle: the hook's handler, what it needs, and the user's suites."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from greenroom.plugins.bundle_bytecode import compile_all, interpreter_for
from greenroom.plugins.bundle_files import SUITES, Project, check_names, collect
from greenroom.plugins.bundle_itself import own_wheel
from greenroom.plugins.bundle_pip import fetch
from greenroom.plugins.bundle_requirements import ITSELF, Needs, given, own
from greenroom.plugins.bundle_trim import trim
from greenroom.plugins.bundle_zip import names_of, write_zip
from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from greenroom.plugins.bundle_files import Collected
    from greenroom.plugins.bundle_target import Target

HANDLER = "greenroom.plugins.hook.handler"
MB = 1024 * 1024
"""Bytes of a megabyte as Lambda counts them."""
ZIPPED_MOST = 50 * MB
"""Lambda's limit of a bundle that is uploaded directly."""
UNZIPPED_MOST = 250 * MB
"""Lambda's limit of a function with all of its layers."""

_NEAR = 0.8
_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What to build: ``paths`` lie below the folder ``root``.

    ``via_s3``: the bundle is not uploaded directly, so that only its unzipped size is limited.
    """

    out: Path
    root: Path
    target: Target
    paths: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    requirements_files: tuple[Path, ...] = ()
    via_s3: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was built. Sizes in bytes; ``sizes`` are unzipped, by name in the bundle.

    ``interpreter`` wrote the bytecode; None where there is none. ``left_out`` names files of the
    user's folders that stayed behind.
    """

    target: Target
    zipped: int
    sizes: Mapping[str, int]
    sha256: str
    interpreter: str | None
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def unzipped(self) -> int:
        """The size of all files."""
        return sum(self.sizes.values())

    @property
    def largest(self) -> list[tuple[str, int]]:
        """The largest top-level names and their sizes."""
        tops: Counter[str] = Counter()
        for name, size in self.sizes.items():
            tops[name.partition("/")[0]] += size
        return tops.most_common(_LARGEST)


def build(order: Order) -> Bundle:
    """Build the bundle; raises `SettingsError` or `ToolError`, and then writes nothing."""
    if order.out.suffix != ".zip" or order.out.is_dir():
        raise SettingsError(f"{order.out} is no name of a bundle", hint="OUT.zip comes first")
    collected = collect(Project(order.root, order.out), order.paths)
    theirs = given(order.requirements, order.requirements_files, order.target)
    ours = own(order.target, order.extras)
    with tempfile.TemporaryDirectory(prefix="greenroom-package-") as work:
        stage = Path(work, "task")
        itself = Requirement(f"{ITSELF} @ {own_wheel(Path(work)).as_uri()}")
        needs = Needs((itself, *ours, *theirs.requirements), theirs.constraints)
        found = fetch(needs, order.target, stage)
        trim(stage, found, _names(ours) - _names(theirs.requirements))
        check_names(collected, {path.name.removesuffix(".py") for path in stage.iterdir()})
        _copy(collected.files, stage)
        interpreter = interpreter_for(order.target)
        broken = compile_all(stage, interpreter) if interpreter else []
        return _packed(order, stage, collected, interpreter, broken)


def _names(requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def _copy(files: Mapping[str, Path], stage: Path) -> None:
    for name, source in files.items():
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, stage / name)


def _packed(
    order: Order,
    stage: Path,
    collected: Collected,
    interpreter: str | None,
    broken: Iterable[str],
) -> Bundle:
    files = names_of(stage)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    _check_unzipped(sum(sizes.values()))
    digest = write_zip(files, order.out, most=UNZIPPED_MOST if order.via_s3 else ZIPPED_MOST)
    zipped = order.out.stat().st_size
    return Bundle(
        target=order.target,
        zipped=zipped,
        sizes=sizes,
        sha256=digest,
        interpreter=interpreter,
        left_out=tuple(collected.left_out),
        warnings=(
            *_about_size(zipped, sum(sizes.values())),
            *_about_bytecode(order.target, interpreter),
            *_about_suites(collected.files),
            *(f"{name} does not compile" for name in broken if name in collected.files),
        ),
    )


def _check_unzipped(size: int) -> None:
    if size > UNZIPPED_MOST:
        raise ToolError(
            f"the bundle has {size} bytes unzipped, and Lambda takes {UNZIPPED_MOST}, layers "
            "included",
            hint="leave packages or files out, or let CodeBuild run `greenroom hook`",
        )


def _about_size(zipped: int, unzipped: int) -> Iterator[str]:
    if zipped > ZIPPED_MOST * _NEAR:
        yield f"Lambda takes {ZIPPED_MOST // MB} MB zipped in a direct upload, more only from S3"
    if unzipped > UNZIPPED_MOST * _NEAR:
        yield f"Lambda takes {UNZIPPED_MOST // MB} MB unzipped, layers included"


def _about_bytecode(target: Target, interpreter: str | None) -> Iterator[str]:
    if interpreter is None:
        yield (
            f"without bytecode, as there is no python{target.python} on PATH: importing takes "
            "about three times as long at each cold start"
        )


def _about_suites(files: Mapping[str, Path]) -> Iterator[str]:
    names = [name.rpartition("/")[2] for name in files]
    if not any(
        name.startswith("test_") or name.endswith(("_test.py", ".suite.yaml", ".suite.yml"))
        for name in names
    ):
        yield "none of your files is a test_*.py or a *.suite.yaml: what is the hook to run?"
    if not any(name.startswith(f"{SUITES}/") for name in files):
        yield (
            f"the hook runs {SUITES}/ unless GREENROOM_HOOK_ARGS or the settings' hook.events "
            "name other suites"
        )
