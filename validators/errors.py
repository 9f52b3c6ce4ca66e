"""Every error that Greenroom raises on purpose.

    GreenroomError                 exit 2
    ├── SettingsError              exit 4   the user's settings, suite or command line are wrong
    │   └── UnresolvedError        exit 4   a suite's variable has no value
    ├── ToolError                  exit 2   an outside program is missing, broken or too slow
    ├── ServiceError               exit 2   a service (AWS, a registry) was out of reach or refused
    │   ├── CallError              exit 2   AWS refused a call, or did not answer it
    │   └── RefusedError           exit 2   the rehearsal's own deployment engine refuses a call
    ├── RecordError                exit 2   a run record is missing, unreadable, cut short or forged
    └── ReportFolderError          exit 2   the report folder could not be written

Each carries what failed (``str(error)``), a hint of what to do (``error.hint``) and the exit status
of a command that ends with it.
"""

from __future__ import annotations

from typing import ClassVar


class GreenroomError(Exception):
    """What failed, why (where known), and what to do."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")  # a traceback shows it, too

    def explain(self) -> str:
        """Return the whole text for a person: the message, then the hint on a line of its own."""
        return f"{self}\n  hint: {self.hint}" if self.hint else str(self)


class SettingsError(GreenroomError):
    """The user's settings, suite file or command line are wrong."""

    exit_code: ClassVar[int] = 4


class ToolError(GreenroomError):
    """An outside program is missing, broken or too slow."""


class ServiceError(GreenroomError):
    """A service could not be asked, or refused."""


class RecordError(GreenroomError):
    """A run record is missing, unreadable, unfinished or contradicts itself."""
