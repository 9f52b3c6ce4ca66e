"""Tells whoever started a command: 0 to go on, 1 not to ship, 7 if it could not be decided.

CodeDeploy's agent (EC2 and on-premises hooks are scripts) and every CI go by it.
"""

from __future__ import annotations

from greenroom.plugins.reporting import ANSWERED, Answer, Told
from greenroom.validators.vocabulary import Verdict

SHIP = 0
DO_NOT_SHIP = 1
COULD_NOT_DECIDE = 7


class ExitStatusReporter:
    """Answers by the status that the command ends with."""

    def report(self, answer: Answer, *, until: float) -> Told:  # noqa: ARG002 - nobody is called
        """Return the exit status as text."""
        return Told("exit status", str(exit_status(answer)), ANSWERED)


def exit_status(answer: Answer) -> int:
    """Return the status of a command: 0 for an answer that opens the gate, and for no other."""
    if answer.succeeded:
        return SHIP
    return DO_NOT_SHIP if answer.verdict is Verdict.DO_NOT_SHIP else COULD_NOT_DECIDE
