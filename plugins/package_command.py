"""``greenroom package``: build the bundle of a hook's Lambda function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from greenroom.plugins.bundle import HANDLER, MB, Order, build
from greenroom.plugins.bundle_target import ARCHITECTURES, PYTHONS, target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.bundle import Bundle

_NAMES_SHOWN = 5


@click.command("package")
@click.option(
    "--python", type=click.Choice(PYTHONS), help="The function's Python; default: this one's."
)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    default=ARCHITECTURES[0],
    show_default=True,
    help="The function's architecture.",
)
@click.option(
    "--with",
    "requirements",
    metavar="REQUIREMENT",
    multiple=True,
    help="A package that the suites import; may be repeated.",
)
@click.option(
    "--requirements",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A file of such requirements; may be repeated.",
)
@click.option(
    "--extra",
    "extras",
    metavar="NAME",
    multiple=True,
    help="An extra of greenroom's own, such as load or aws; may be repeated.",
)
@click.option(
    "--via-s3", is_flag=True, help="The bundle goes through S3: it may be larger than 50 MB zipped."
)
@click.argument("out", metavar="OUT.zip", type=click.Path(path_type=Path))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
def command(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    python: str | None,
    architecture: str,
    requirements: tuple[str, ...],
    files: tuple[Path, ...],
    extras: tuple[str, ...],
    via_s3: bool,
    out: Path,
    paths: tuple[str, ...],
) -> None:
    """Build OUT.zip, the bundle of a hook's Lambda function.

    It holds greenroom, its dependencies at the versions installed here, and the PATHs of suites and
    helper packages below this folder (without any: suites/ and the suites that the settings name),
    always with the settings' files of pytest and greenroom.
    """
    order = Order(
        out=out,
        root=Path.cwd(),
        target=target(python, architecture),
        paths=paths,
        extras=extras,
        requirements=requirements,
        requirements_files=files,
        via_s3=via_s3,
    )
    bundle = build(order)
    for line in _told(out, bundle):
        click.echo(line)
    for warning in bundle.warnings:
        click.echo(f"warning: {warning}", err=True)


def _told(out: Path, bundle: Bundle) -> Iterator[str]:
    yield (
        f"{out}: {_mb(bundle.zipped)} zipped, {_mb(bundle.unzipped)} unzipped, "
        f"{len(bundle.sizes)} files"
    )
    compiled = f"bytecode by {bundle.interpreter}" if bundle.interpreter else "no bytecode"
    yield f"for: Python {bundle.target.python}, {bundle.target.architecture}, {compiled}"
    yield f"largest: {', '.join(f'{name} {_mb(size)}' for name, size in bundle.largest)}"
    if bundle.left_out:
        names = ", ".join(bundle.left_out[:_NAMES_SHOWN])
        more = len(bundle.left_out) - _NAMES_SHOWN
        yield f"left out: {names}{f' and {more} more' if more > 0 else ''}"
    yield f"handler: {HANDLER}"
    yield f"sha256: {bundle.sha256}"


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
