"""Waits, before the first check runs, until the target is ready: a bounded poll, once a run.

Under xdist the controller waits while its workers collect. A target that is not ready in time is no
check's failure: none is run, and the run could not decide.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from greenroom.plugins.function_address import shown_target
from greenroom.plugins.markers import facts_of
from greenroom.validators.http import Answer, Failure
from greenroom.validators.threshold import show
from greenroom.validators.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from greenroom.plugins.recorder import Recorder
    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.target_settings import Ready

TRY_S = 5.0
"""The most that one try may take."""
_TOLD_EVERY_S = 10.0


class Seen(NamedTuple):
    """What one try brought."""

    ready: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Waited:
    """How the wait ended: the last answer, after how many tries and seconds."""

    ready: bool
    answer: str
    tries: int
    seconds: float

    def __str__(self) -> str:
        tries = "1 try" if self.tries == 1 else f"{self.tries:,} tries"
        return f"{self.answer} after {tries} in {show(self.seconds, 's')}"


def judge_ready(ready: Ready, outcome: Answer | Failure) -> Seen:
    """Judge one answer: its status, and the revision that gave it where that counts."""
    if isinstance(outcome, Failure):
        return Seen(ready=False, answer=outcome.reason)
    good = ready.status.accepts(outcome.status)
    if ready.revision is None:
        return Seen(good, f"status {outcome.status}")
    rule = ready.revision.judge(outcome)
    return Seen(good and rule.met is True, f"status {outcome.status} from {rule.observed}")


def wait(
    ready: Ready,
    ask: Callable[[float], Seen],
    tell: Callable[[Waited], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Waited:
    """Ask (with the seconds that a try may take) until the target is ready or the time is over.

    ``tell`` hears of each new answer, and of the same one every ten seconds.
    """
    begun = told = clock()
    tries, answer = 0, ""
    while True:
        tries += 1
        seen = ask(max(min(TRY_S, begun + ready.within_s - clock()), 0.001))
        now = clock()
        waited = Waited(seen.ready, seen.answer, tries, now - begun)
        if seen.ready or now + ready.every_s >= begun + ready.within_s:
            return waited
        if seen.answer != answer or now - told >= _TOLD_EVERY_S:
            told, answer = now, seen.answer
            tell(waited)
        sleep(ready.every_s)


class Readiness:
    """The wait as a plugin of the process that decides."""

    def __init__(self, ready: Ready, target: str, redactor: Redactor, recorder: Recorder) -> None:
        self._ready = ready
        self._target = target
        self._redactor = redactor
        self._recorder = recorder
        self._url = redactor.url(f"{shown_target(target).rstrip('/')}{ready.path}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait; end the loop before its first check where the target was not ready."""
        if session.testsfailed or not _asks_the_target(session):
            return None
        waited = self._wait(session.config)
        self._recorder.note(
            ready_tries=waited.tries,
            ready_seconds=round(waited.seconds, 3),
            ready_answer=waited.answer,
        )
        if waited.ready:
            return None
        self._recorder.hold(
            f"the target was not ready: {self._url}: {waited}; expected {self._ready.limit}"
        )
        return True

    def _wait(self, config: pytest.Config) -> Waited:
        from greenroom.plugins.http import Limits, client  # noqa: PLC0415 - heavy
        from greenroom.plugins.target import connections_of  # noqa: PLC0415 - as above

        within = show(self._ready.within_s, "s")
        terminal = _Terminal(config)
        terminal.line(f"waiting for {self._url}: {self._ready.limit}, within {within}")
        connections = connections_of(config)
        with client(self._target, connections, self._redactor, lambda _: None, Limits()) as http:
            waited = wait(
                self._ready,
                lambda seconds: self._ask(http, seconds),
                lambda so_far: terminal.line(f"not ready yet: {so_far}"),
            )
        terminal.line(f"{'ready' if waited.ready else 'NOT READY'}: {waited}")
        return waited

    def _ask(self, http: httpx.Client, seconds: float) -> Seen:
        from greenroom.plugins.http import get  # noqa: PLC0415 - as above

        seen = judge_ready(self._ready, get(http, self._ready.path, seconds))
        return seen._replace(answer=self._redactor.text(seen.answer))


class _Terminal:
    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")

    def line(self, text: str) -> None:
        """Write a line now: somebody may be looking at a run that waits."""
        if self._reporter is not None:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"greenroom: {text}")
            self._reporter.flush()


def _asks_the_target(session: pytest.Session) -> bool:
    """Tell whether a selected check may ask the target; xdist's controller has to assume it."""
    if session.config.pluginmanager.has_plugin("dsession"):
        return True
    return any(
        facts_of(item).stage is Stage.ENVIRONMENT or "target" in getattr(item, "fixturenames", ())
        for item in session.items
    )
