"""Writes a run's documents: events as they come, everything else once, at the end.

The folder never shows a green that is not this run's: an unfinished record replaces the last run's
at the start, and the new one takes its place last, in one step.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import GreenroomError
from greenroom.validators.record import RunRecord

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

RECORD = "run.json"
EVENTS = "events.jsonl"
PAGE = "report.html"
JUNIT = "junit.xml"
_HEAD = 65536


class ReportFolderError(GreenroomError):
    """The report folder could not be written; the run cannot be *ship*."""


class Documents:
    """The report folder of one run; without ``pages`` it gets record and events alone."""

    def __init__(self, folder: Path, *, pages: bool = True) -> None:
        self.folder = folder
        self._pages = pages
        self._events: IO[str] | None = None
        self.problem = ""

    @property
    def shown(self) -> Path:
        """What a person is told to open."""
        return self.folder / (PAGE if self._pages else RECORD)

    def begin(self, record: RunRecord) -> None:
        """Make the folder, remove the last run's documents and write the unfinished ``record``."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for stale in (RECORD, PAGE, JUNIT):
                (self.folder / stale).unlink(missing_ok=True)
            self._replace({RECORD: record.dumps()})
            self._events = (self.folder / EVENTS).open("w", encoding="utf-8")
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def event(self, name: str, at: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        """Append one event and hand it to the operating system, so that a kill leaves it."""
        if self._events is None or self.problem:
            return
        try:
            line = json.dumps({"event": name, "at": at, **details}, ensure_ascii=True)
            self._events.write(f"{line}\n")
            self._events.flush()
        except OSError as error:
            self.problem = str(_unwritable(self.folder, error))

    def finish(self, record: RunRecord) -> None:
        """Write every document of ``record``, or raise `ReportFolderError` and leave no *ship*.

        The record, which opens gates, comes last.
        """
        if self.problem:
            raise ReportFolderError(self.problem)
        self._refuse_another_runs(record)
        texts = {**(_pages_of(record) if self._pages else {}), RECORD: record.dumps()}
        try:
            self._replace(texts)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def add_pages(self) -> None:
        """Write what people read beside the record that is there.

        Raises `ReportFolderError` or `RecordError`.
        """
        try:
            self._replace(_pages_of(RunRecord.loads((self.folder / RECORD).read_bytes())))
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def withdraw(self, record: RunRecord) -> None:
        """Leave only ``record`` (which says why), or, where not even that can be written, nothing.

        What cannot be overwritten is removed: the space of a full disk is not needed for that.
        """
        for name in (PAGE, JUNIT, RECORD):
            self._remove(name)
        try:
            self._replace({RECORD: record.dumps()})
        except Exception as error:  # noqa: BLE001 - whatever a test left broken, no green may stay
            self.problem = self.problem or repr(error)
            self._remove(RECORD)

    def close(self) -> None:
        """Close the events' file."""
        if self._events is not None:
            events, self._events = self._events, None
            try:
                events.close()
            except OSError as error:
                self.problem = self.problem or str(_unwritable(self.folder, error))

    def _refuse_another_runs(self, record: RunRecord) -> None:
        try:
            head = (self.folder / RECORD).read_text(encoding="utf-8")[:_HEAD]
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        if f'"{record.run_id}"' not in head:
            raise ReportFolderError(
                f"another run wrote into the report folder {self.folder}",
                hint="give each run a folder of its own",
            )

    def _replace(self, texts: dict[str, str]) -> None:
        """Write all texts beside their places first: none is replaced if one cannot be written."""
        parts = {self.folder / f".{name}.part": self.folder / name for name in texts}
        try:
            for part, text in zip(parts, texts.values(), strict=True):
                part.write_text(text, encoding="utf-8", errors="backslashreplace")
            for part, place in parts.items():
                part.replace(place)
        finally:
            for part in parts:
                self._remove(part.name)

    def _remove(self, name: str) -> None:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            self.problem = self.problem or str(_unwritable(self.folder, error))


def _pages_of(record: RunRecord) -> dict[str, str]:
    from greenroom.reports import html, junit  # noqa: PLC0415 - only a run that reports needs them

    return {PAGE: html.render(record), JUNIT: junit.render(record)}


def _unwritable(folder: Path, error: OSError) -> ReportFolderError:
    return ReportFolderError(
        f"the report folder {folder} could not be written: {error.strerror or error}",
        hint="give another folder with --greenroom-report, or make room",
    )
