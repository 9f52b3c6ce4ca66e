"""Tells whoever started a command: 0 to go on, 1 not to ship, 7 if it could not be decided.

CodeDeploy's agent (EC2 and on-premises hooks are scripts) and every CI go by it.
"""

from __future__ import annotations

from greenroom.plugins.reporting import ANSWERED, Answer, Told
from greenroom.validators.vocabulary import Verdict

EXIT_STATUS = "exit status"
"""The name of the waiter."""

_STATUS = {Verdict.SHIP: 0, Verdict.DO_NOT_SHIP: 1, Verdict.COULD_NOT_DECIDE: 7}


class ExitStatusReporter:
    """Answers by the status that the command ends with."""

    def report(self, answer: Answer, *, until: float) -> Told:  # noqa: ARG002 - nobody is called
        """Return the exit status as text: 0 for an answer that opens the gate, and for no other."""
        verdict = answer.verdict
        if not answer.succeeded and verdict is Verdict.SHIP:
            verdict = Verdict.COULD_NOT_DECIDE
        status = 0 if answer.succeeded else exit_status(verdict)
        return Told(EXIT_STATUS, str(status), ANSWERED)


def exit_status(verdict: Verdict) -> int:
    """Return the status of a command that ends with ``verdict``."""
    return _STATUS[verdict]
