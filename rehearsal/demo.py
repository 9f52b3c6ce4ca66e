"""Rehearses a good and a broken release of the trivia example and compares them.

``python -m greenroom.rehearsal.demo [EXAMPLE]``; exit status 0 only if both ended as they should:
the good one deployed without a failed request, the broken one rolled back without one production
request that it answered.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.rehearsal.interruption import interruptible
from greenroom.rehearsal.progress import Progress
from greenroom.rehearsal.run import Rehearsal, rehearse
from greenroom.rehearsal.settings import RehearsalSettings
from greenroom.validators.errors import GreenroomError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.rehearsal.run import Outcome

COLUMNS = (
    "revision",
    "verdict",
    "status",
    "rolled back",
    "traffic reached",
    "requests",
    "failed",
    "by replacement",
    "before gate",
    "seconds",
)


def good_ended_well(outcome: Outcome) -> bool:
    """Whether the release was deployed, under load, without a failed request."""
    story = outcome.timeline
    requests = story["requests"]
    served = requests["total"] > 0 and requests["replacement"] > 0 and not requests["failed"]
    early = requests["replacement_before_gate"]
    return outcome.deployed and story["status"] == "Succeeded" and served and not early


def broken_ended_well(outcome: Outcome) -> bool:
    """Whether the release was rolled back, under load, before production met it."""
    story = outcome.timeline
    requests = story["requests"]
    met = requests["replacement"] or requests["replacement_before_gate"]
    kept = requests["total"] > 0 and not requests["failed"] and not met
    refused = outcome.record.verdict is not Verdict.SHIP
    return refused and story["status"] == "Failed" and story["rolled_back"] and kept


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return an outcome's line of the table."""
    story = outcome.timeline
    requests = story["requests"]
    reached = max((point["replacement"] for point in story["traffic"]), default=0)
    return (
        story["revision"],
        outcome.record.verdict.words,
        story["status"],
        "yes" if story["rolled_back"] else "no",
        f"{reached} %",
        str(requests["total"]),
        str(requests["failed"]),
        str(requests["replacement"]),
        str(requests["replacement_before_gate"]),
        f"{outcome.seconds:.1f}",
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return ``rows`` below the column names, as aligned text."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main(arguments: Sequence[str]) -> int:
    """Rehearse both revisions; return the exit status."""
    example = Path(arguments[0] if arguments else "examples/trivia")
    try:
        good, broken = _rehearsed(example, "good"), _rehearsed(example, "broken")
    except GreenroomError as error:
        print(f"greenroom: {error.explain()}", file=sys.stderr)  # noqa: T201 - the demo's own output
        return error.exit_code
    except KeyboardInterrupt:
        return 2
    ended_well = good_ended_well(good) and broken_ended_well(broken)
    lines = ["", table([row(good), row(broken)]), ""]
    lines += [f"report: {outcome.report}" for outcome in (good, broken)]
    lines += ["", "both releases ended as they should" if ended_well else "UNEXPECTED: see above"]
    print("\n".join(lines))  # noqa: T201 - the demo's own output
    return 0 if ended_well else 1


def _rehearsed(example: Path, name: str) -> Outcome:
    settings = RehearsalSettings.load_from(example)
    rehearsal = Rehearsal(
        settings=settings,
        revision=settings.revision(name),
        time_scale=settings.deployment.time_scale,
        folder=Path("greenroom-rehearsal", name).resolve(),
    )
    print(f"Rehearsing the {name} revision of {settings.name}", flush=True)  # noqa: T201 - as above
    with interruptible(), Progress(sys.stdout) as progress:
        return rehearse(rehearsal, progress)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
