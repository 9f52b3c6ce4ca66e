"""Says why: uploads a hook's report to S3 and tells SNS topics and EventBridge buses.

AWS' own fields carry no reason, so this is where people look. It is done after the report to
whoever waits, in the time that is left, and nothing that fails here is raised or keeps anything
else from being done: it comes back as a problem for the log.

IAM: ``s3:PutObject`` on the prefix, ``sns:Publish`` on the topics, ``events:PutEvents`` on the
buses; for encrypted ones ``kms:GenerateDataKey`` and ``kms:Decrypt`` on their key.
"""

from __future__ import annotations

import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.announcement import to_bus, to_topic
from greenroom.plugins.aws_process import CallError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_result import HookResult
    from greenroom.plugins.report_place import ReportPlace

INSIST_S = 10.0
"""How long one call is insisted on: a refusal that lasts longer is no lag of permissions."""

LARGEST_DOCUMENT = 50 * 1024 * 1024
"""Bytes of the largest document that is uploaded."""

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".sarif": "application/sarif+json",
    ".xml": "application/xml",
}
"""What is uploaded, by the end of its name."""

_UPLOADS_SHARE = 0.6  # of the time, where somebody is to be told afterwards
_LEAST_S = 0.05
_PAUSE_S = 0.2
_AGAIN = frozenset({"InternalException", "InternalFailure", "ThrottlingException"})
"""Codes of entries that EventBridge says may be put again."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What was done: ``s3://`` addresses, ARNs that took a message, and what went wrong."""

    uploaded: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """Where the report goes (None: nowhere), and the ARNs of the topics and buses to tell."""

    place: ReportPlace | None = None
    notify: tuple[str, ...] = ()


def announce(  # noqa: PLR0913 - what, from where, to whom, through what, and two times
    result: HookResult,
    folder: Path | None,
    audience: Audience,
    aws: Aws,
    *,
    until: float,
    insist_s: float = INSIST_S,
) -> Announced:
    """Upload the documents in ``folder`` and tell everybody by ``until`` (monotonic seconds)."""
    work = _Announcing(aws, until, insist_s)
    try:
        if audience.place and folder:
            work.upload(folder, audience.place, share=_UPLOADS_SHARE if audience.notify else 1.0)
        notes = tuple(work.problems)
        for number, arn in enumerate(audience.notify):
            work.tell(arn, result, notes, others=len(audience.notify) - number)
    except Exception as error:  # noqa: BLE001 - what was told is told, whatever breaks here
        work.problems.append(f"the announcement broke off: {error!r}")
    return Announced(tuple(work.uploaded), tuple(work.messages), tuple(work.problems))


class _Announcing:
    """One announcement on its way."""

    def __init__(self, aws: Aws, until: float, insist_s: float) -> None:
        self._aws = aws
        self._until = until
        self._insist_s = insist_s
        self.uploaded: list[str] = []
        self.messages: list[str] = []
        self.problems: list[str] = []

    def upload(self, folder: Path, place: ReportPlace, *, share: float) -> None:
        """Upload each document of ``folder``, the smallest first; insist until one is refused."""
        end = time.monotonic() + self._left() * share
        documents = list(self._documents(folder))
        refused = False
        for number, (size, path) in enumerate(documents):
            name, now = path.name, time.monotonic()
            part = now + (end - now) / (len(documents) - number)
            members = {
                "Bucket": place.bucket,
                "Key": place.key(name),
                "Body": {"$file": str(path)},
                "ContentType": _CONTENT_TYPES[path.suffix],
            }
            what = f"{name} ({size:,} bytes) was not uploaded to {place.uri(name)}"
            done = self._send(what, ("s3", "put_object", members), part, insist=not refused)
            refused = refused or done is None
            if done is not None:
                self.uploaded.append(place.uri(name))

    def tell(self, arn: str, result: HookResult, notes: tuple[str, ...], *, others: int) -> None:
        """Send one message; ``others`` (itself included) share the time that is left."""
        end = time.monotonic() + self._left() / others
        service, region = (arn.split(":") + [""] * 4)[2:4]
        what = f"no message to {arn}"
        if service == "sns":
            members = to_topic(arn, result, notes)
            if self._send(what, ("sns", "publish", members), end, region=region) is not None:
                self.messages.append(arn)
        elif service == "events":
            self._put(what, arn, to_bus(arn, result, notes), end)
        else:
            self.problems.append(f"{what}: neither an SNS topic nor an EventBridge bus")

    def _put(self, what: str, arn: str, members: Mapping[str, Any], end: float) -> None:
        """Put an event: an answer of 200 may still say that its entry failed."""
        region = arn.split(":")[3]
        while True:
            answer = self._send(what, ("events", "put_events", members), end, region=region)
            if answer is None:
                return
            if not answer.get("FailedEntryCount"):
                self.messages.append(arn)
                return
            entry: dict[str, Any] = next(iter(answer.get("Entries", [])), {})
            code = str(entry.get("ErrorCode", "unknown"))
            if code not in _AGAIN or end - time.monotonic() < 2 * _PAUSE_S:
                self.problems.append(f"{what}: {code}: {entry.get('ErrorMessage', '')}")
                return
            time.sleep(_PAUSE_S)

    def _send(
        self,
        what: str,
        call: tuple[str, str, Mapping[str, Any]],
        end: float,
        *,
        region: str = "",
        insist: bool = True,
    ) -> dict[str, Any] | None:
        """Return the answer, or None once what failed is among the problems."""
        now = time.monotonic()
        if end - now < _LEAST_S:
            self.problems.append(f"{what}: no time is left")
            return None
        send = self._aws.insist if insist else self._aws.call
        try:
            return send(*call, until=min(end, now + self._insist_s), region=region)
        except CallError as error:
            self.problems.append(f"{what}: {error} ({error.hint})")
            return None

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)

    def _documents(self, folder: Path) -> Iterator[tuple[int, Path]]:
        """Yield sizes and paths, the smallest first: plain files alone, no links to elsewhere."""
        try:
            entries = [(path, path.lstat()) for path in folder.iterdir()]
        except OSError as error:
            self.problems.append(f"the report folder cannot be read: {error}")
            return
        known = [
            (state.st_size, path)
            for path, state in entries
            if path.suffix in _CONTENT_TYPES
            and stat.S_ISREG(state.st_mode)
            and not path.name.startswith(".")
        ]
        for size, path in sorted(known):
            if size > LARGEST_DOCUMENT:
                limit = LARGEST_DOCUMENT
                self.problems.append(f"{path.name} ({size:,} bytes) is larger than {limit:,} bytes")
            else:
                yield size, path
