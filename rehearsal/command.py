"""``greenroom rehearse``: a deployment of an example or a service of your own, on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greenroom.rehearsal.interruption import interruptible
from greenroom.rehearsal.progress import Progress
from greenroom.rehearsal.run import Rehearsal, as_text, rehearse, write_text
from greenroom.rehearsal.settings import RehearsalSettings

if TYPE_CHECKING:
    from greenroom.rehearsal.run import Outcome


@click.command(name="rehearse")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="NAME", help="The revision to release.")
@click.option(
    "--time-scale",
    type=click.FloatRange(min=0, min_open=True),
    metavar="X",
    help="Deployment seconds in a real one.",
)
@click.option(
    "--json", "story", type=click.Path(path_type=Path), metavar="PATH", help="Write the timeline."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where documents go (greenroom-rehearsal/REVISION).",
)
def command(
    folder: Path,
    revision: str | None,
    time_scale: float | None,
    story: Path | None,
    report: Path | None,
) -> int:
    """Rehearse the deployment that DIR/rehearsal.toml describes.

    Exit status: 0 deployed, and proved; 1 rolled back, failed or not deployed at all, or deployed
    although production noticed, a hook left no evidence or an alarm never had enough data; 2 could
    not run, or broke down; 4 wrong settings.
    """
    settings = RehearsalSettings.load_from(folder)
    chosen = settings.revision(revision) if revision else settings.replacement
    rehearsal = Rehearsal(
        settings=settings,
        revision=chosen,
        time_scale=settings.deployment.time_scale if time_scale is None else time_scale,
        folder=(report or Path("greenroom-rehearsal") / chosen.name).resolve(),
    )
    if story is not None:
        write_text(story, "")  # a path that cannot be written is told now
        story.unlink()  # and nothing stale stays
    with interruptible(), Progress(sys.stdout) as progress:
        outcome = rehearse(rehearsal, progress)
    if story is not None:
        write_text(story, as_text(outcome.timeline))
    for line in summary(outcome):
        click.echo(line)
    return 0 if outcome.deployed else 1


def summary(outcome: Outcome) -> list[str]:
    """Return the closing lines: status, verdict, counts, reasons and the page's path."""
    story, decision = outcome.timeline, outcome.record.decision()
    requests = story["requests"]
    back = ", rolled back" if story["rolled_back"] else ""
    lines = [
        f"deployment {story['deployment_id'] or 'not started'}: {story['status']}{back}",
        f"verdict: {decision.verdict.words}",
        (
            "production requests: {total} total, {failed} failed, {replacement} answered by the "
            "replacement, {replacement_before_gate} of them before the gate opened"
        ).format(**requests),
    ]
    if story["error"]:
        lines.append(f"error: {story['error']['code']}: {story['error']['message']}")
    lines += [f"  - {reason.text}" for reason in decision.reasons]
    return [*lines, f"report: {outcome.report}"]
