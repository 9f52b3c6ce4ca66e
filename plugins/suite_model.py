"""What a suite file says, parsed once: frozen facts, variables filled in, limits in base units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.plugins.http_sending import SENDING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.http_sending import Sending, SigV4
    from greenroom.plugins.revision import AnsweredBy
    from greenroom.plugins.suite_contract import Contract
    from greenroom.plugins.suite_openapi import Described
    from greenroom.plugins.suite_snapshot import Snapshot
    from greenroom.plugins.workplace import Work
    from greenroom.validators.http import StatusSet
    from greenroom.validators.json_values import Expectation
    from greenroom.validators.threshold import Threshold
    from greenroom.validators.vocabulary import Gate, Kind, Stage

CONNECT = "connect"
RETRIED = frozenset({CONNECT, "502", "503", "504"})
"""What may be tried again: no connection, or a gateway that says so. Never a wrong answer."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried in all, and what is worth another try."""

    attempts: int = 1
    delay_s: float = 0.5
    on: frozenset[str] = RETRIED


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request says who asks; ``secrets`` are what of it no output may show."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    signature: SigV4 | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for each check that does not say otherwise.

    ``timeout_s`` is the whole time of a check's request: its retries, redirects and body included.
    """

    timeout_s: float = 10.0
    max_body: int = 1024 * 1024
    headers: tuple[tuple[str, str], ...] = ()
    retry: Retry = field(default_factory=Retry)
    answered_by: AnsweredBy | None = None
    auth: Auth | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``path`` starts with ``/`` and lies below the suite's target.

    ``each_target``: it goes to every place behind the target's load balancer. ``sending`` is what
    it asks of its way, ``secrets`` what of it no output may show.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    follow_redirects: bool = False
    each_target: bool = False
    sending: Sending | None = None
    secrets: tuple[str, ...] = ()

    @property
    def http2(self) -> bool:
        """Whether it must be answered by HTTP/2."""
        return self.sending is not None and self.sending.http2

    @property
    def extensions(self) -> dict[str, Sending] | None:
        """What of it travels in the extensions of httpx's request."""
        return None if self.sending is None else {SENDING: self.sending}


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """What is expected of one header."""

    name: str
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class CookieRule:
    """What is expected of one cookie that the answer sets."""

    name: str
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class JsonRule:
    """What is expected of the values that one JSONPath query selects."""

    path: str
    query: JSONPathQuery
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class Expect:
    """Everything that is expected of an answer; never empty."""

    status: StatusSet
    time: Threshold | None = None
    headers: tuple[HeaderRule, ...] = ()
    json: tuple[JsonRule, ...] = ()
    contract: Contract | None = None
    size: Threshold | None = None
    cookies: tuple[CookieRule, ...] = ()
    text: tuple[Expectation, ...] = ()
    openapi: Described | None = None
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again every ``every_s`` until all that is expected is met, for ``for_s`` at most."""

    for_s: float
    every_s: float = 1.0


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """One check: a request and what is expected of its answer; ``line`` counts from 1.

    ``serial``: nothing else of the run may ask meanwhile. ``unmet`` says why the check is not meant
    for this run, and is empty if it is.
    """

    name: str
    line: int
    kind: Kind
    gate: Gate
    tags: tuple[str, ...]
    request: Request
    expect: Expect
    timeout_s: float
    max_body: int
    retry: Retry
    answered_by: AnsweredBy | None = None
    wait: Wait | None = None
    serial: bool = False
    unmet: str = ""

    @property
    def longest_s(self) -> float:
        """The seconds that it may take at worst, at one target."""
        return self.timeout_s + (self.wait.for_s if self.wait else 0.0)


@dataclass(frozen=True, slots=True)
class Capture:
    """What a step keeps of its answer as ``${capture.NAME}``.

    One of: the one value that a JSONPath selects (``path``), a ``header``, a ``cookie``, or the one
    group of a regular expression found in the body (``text``). ``secret``: redacted everywhere.
    """

    name: str
    path: str = ""
    query: JSONPathQuery | None = None
    header: str = ""
    cookie: str = ""
    text: re.Pattern[str] | None = None
    secret: bool = False

    def __str__(self) -> str:
        if self.text is not None:
            return f"text {self.text.pattern}"
        return self.path or (f"header {self.header}" if self.header else f"cookie {self.cookie}")


@dataclass(frozen=True, slots=True)
class Step:
    """One request of several; ``bind`` makes its check once the values it ``needs`` are known."""

    name: str
    needs: tuple[str, ...]
    captures: tuple[Capture, ...]
    longest_s: float
    bind: Callable[[Mapping[str, Any]], HttpCheck]


@dataclass(frozen=True, slots=True)
class StepsCheck:
    """Requests in their order, which share cookies and what they capture.

    The first that does not pass ends them. ``setup`` comes first and must pass for anything to be
    observed; ``teardown`` comes last, whatever happened. ``answered_by`` is for the steps that have
    none of their own.
    """

    name: str
    line: int
    kind: Kind
    gate: Gate
    tags: tuple[str, ...]
    steps: tuple[Step, ...]
    setup: tuple[Step, ...]
    teardown: tuple[Step, ...]
    timeout_s: float
    max_body: int
    answered_by: AnsweredBy | None = None
    serial: bool = False
    unmet: str = ""

    @property
    def longest_s(self) -> float:
        """The seconds that it may take at worst."""
        return sum(step.longest_s for step in (*self.setup, *self.steps, *self.teardown))


@dataclass(frozen=True, slots=True)
class WorkCheck:
    """One check that is no plain request: what it does and judges is its ``work``.

    ``line`` counts from 1; it is 0 where the settings hold the check.
    """

    name: str
    line: int
    kind: Kind
    gate: Gate
    tags: tuple[str, ...]
    stage: Stage
    timeout_s: float
    work: Work
    unmet: str = ""

    @property
    def longest_s(self) -> float:
        """The seconds that it may take at worst."""
        return self.timeout_s


Check = HttpCheck | StepsCheck | WorkCheck


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite file; ``target`` is the address that every request lies below, empty if none.

    ``own_target`` tells that the file gives it, not the settings; ``tls`` is the file's own.
    """

    name: str
    stage: Stage
    target: str
    checks: tuple[Check, ...]
    own_target: bool = False
    tls: Tls | None = None
