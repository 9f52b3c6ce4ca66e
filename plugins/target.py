"""The run's target as an httpx client; connections are shared by all checks of a process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from greenroom.plugins.allowed import Traffic
from greenroom.plugins.clean_logs import clean_http_logs
from greenroom.plugins.function_address import is_function
from greenroom.plugins.http import Connections, answer_of, client
from greenroom.plugins.revision import ADVICE, RULE
from greenroom.plugins.settings import redactor_of, settings_of, variables_of
from greenroom.plugins.target_settings import Targets
from greenroom.plugins.targets import Behind, behind
from greenroom.validators.errors import SettingsError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.recording import Recording
    from greenroom.plugins.revision import AnsweredBy

_CONNECTIONS: pytest.StashKey[Connections] = pytest.StashKey()

_BEHIND: pytest.StashKey[Behind] = pytest.StashKey()
_MADE_ONCE = threading.RLock()
"""Checks that run side by side may be the first to want either."""


def connections_of(config: pytest.Config) -> Connections:
    """Return the connections that this process's checks share, closed at its end.

    From then on, what the client logs of them is redacted.
    """
    with _MADE_ONCE:
        if (known := config.stash.get(_CONNECTIONS, None)) is None:
            known = config.stash[_CONNECTIONS] = Connections(settings_of(config).tls)
            config.add_cleanup(known.close)
            config.add_cleanup(clean_http_logs(redactor_of(config)))
        return known


def behind_of(config: pytest.Config) -> Behind:
    """Return what stands behind the target, asked once in each process."""
    with _MADE_ONCE:
        if (known := config.stash.get(_BEHIND, None)) is None:
            known = config.stash[_BEHIND] = behind(settings_of(config).targets or Targets())
        return known


def refuse_load(item: pytest.Item) -> None:
    """Raise `SettingsError` if a test of kind load asks for a target that nobody allowed."""
    settings = settings_of(item.config)
    marked = item.get_closest_marker(Traffic.LOAD.value) is not None
    if marked and settings.target and not is_function(settings.target):
        settings.allow.require(Traffic.LOAD, settings.target)


@contextmanager
def proven_client(config: pytest.Config, recording: Recording) -> Iterator[httpx.Client]:
    """Give the target's client; each of its answers proves its revision where settings say so."""
    with target_client(config, recording.exchanges.append) as http:
        if (revision := settings_of(config).revision) is None:
            yield http
            return
        try:
            proof = _Proof(revision.filled(variables_of(config)), http, recording)
        except SettingsError as error:
            raise pytest.UsageError(f"greenroom: [revision]: {error.explain()}") from error
        http.event_hooks = {"response": [proof.take]}
        yield http
        proof.conclude()


class _Proof:
    """Judges the answers of one test's client, and records what they prove."""

    def __init__(self, wanted: AnsweredBy, http: httpx.Client, recording: Recording) -> None:
        self._wanted = wanted
        self._recording = recording
        self._base = http.base_url
        self._taken = 0
        self._proven = 0
        self._missed = False

    def take(self, response: httpx.Response) -> None:
        """Judge one answer; raises `CheckFailed` where another revision gave it."""
        response.read()
        self._taken += 1
        if (response.url.host, response.url.port) != (self._base.host, self._base.port):
            return  # a redirect led elsewhere: that service has revisions of its own
        rule = self._wanted.judge(answer_of(response))
        if rule.met:
            self._proven += 1
            return
        self._missed = True
        self._recording.verify(Finding.judged((rule,), self._evidence(1), advice=ADVICE))

    def conclude(self) -> None:
        """Record how many answers were proven; one that nobody judged is a doubt."""
        answers = sum(one.get("response") is not None for one in self._recording.exchanges)
        if self._missed or not answers:
            return
        if self._proven and self._taken >= answers:
            named = f"revision {self._wanted.equals}"
            rule = Rule(RULE, self._wanted.limit, named, met=True)
            self._recording.verify(Finding.judged((rule,), self._evidence(self._proven, named)))
            return
        seen = f"{answers - self._proven} of {answers} answers were not the target's or not judged"
        expected = f"{RULE} {self._wanted.limit}"
        self._recording.findings.append(Finding(Outcome.INCONCLUSIVE, expected, seen))

    def _evidence(self, amount: int, source: str = "") -> tuple[Evidence, ...]:
        what = f"answers from {source}" if source else "answers"
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return (Evidence(what, amount, "httpx", httpx.__version__, at),)


def target_client(config: pytest.Config, record: Callable[[dict[str, Any]], None]) -> httpx.Client:
    """Return a client bound to the settings' target; `pytest.UsageError` where none is set."""
    address = settings_of(config).target
    if not address:
        raise pytest.UsageError(
            "greenroom: no target is set; give --greenroom-target URL, GREENROOM_TARGET, "
            "or target in greenroom.toml"
        )
    return client(address, connections_of(config), redactor_of(config), record)
