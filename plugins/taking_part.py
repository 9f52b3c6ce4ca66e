"""How Greenroom joins a run: settings first, then the observer, the recorder and its guards."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import settings as settings_module
from greenroom.plugins.documents import Documents
from greenroom.plugins.function_address import is_function
from greenroom.plugins.guards import guard_exec, guard_exit, guard_termination
from greenroom.plugins.observer import Observer
from greenroom.plugins.preflight import Preflight, seconds_given
from greenroom.plugins.recorder import COULD_NOT_DECIDE, Recorder
from greenroom.plugins.settings_file import table_of
from greenroom.plugins.suite_process import READY
from greenroom.validators.errors import GreenroomError, SettingsError
from greenroom.validators.record import RunRecord
from greenroom.validators.verdict import Expected

if TYPE_CHECKING:
    from greenroom.plugins.settings import Settings
    from greenroom.plugins.target_settings import Ready


_READY_SHARE = 0.5
"""How much of a hook's time may go into waiting for its target."""


def take_part(config: pytest.Config) -> Recorder | None:
    """Observe this process's tests; record the run unless this is an xdist worker.

    Whatever is wrong with the settings or the report folder is a `pytest.UsageError` (exit 4).
    """
    try:
        settings = _read(config)
        settings_module.keep(config, settings)
        redactor = settings_module.redactor_of(config)
        is_worker = hasattr(config, "workerinput")
        observer = Observer(redactor, attach=is_worker)
        config.pluginmanager.register(observer, "greenroom-observer")
        if is_worker:
            return None
        ready = _ready(config, settings)
        recorder = Recorder(config, settings, redactor, observer)
        recorder.begin()
    except GreenroomError as error:
        raise pytest.UsageError(f"greenroom: {error.explain()}") from error
    config.pluginmanager.register(recorder, "greenroom-recorder")
    if ready is not None and settings.target is not None:
        from greenroom.plugins.readiness import Readiness  # noqa: PLC0415 - only for who waits

        wait = Readiness(ready, settings.target, redactor, recorder)
        config.pluginmanager.register(wait, "greenroom-readiness")
    if (seconds := seconds_given()) is not None:
        config.pluginmanager.register(Preflight(seconds, recorder), "greenroom-preflight")
    config.add_cleanup(guard_exit(recorder.abandon, COULD_NOT_DECIDE))
    config.add_cleanup(recorder.answer_unstarted)
    config.add_cleanup(guard_exec())
    config.add_cleanup(guard_termination(recorder.stop))
    return recorder


def settle(config: pytest.Config) -> None:
    """Read the settings if nothing has, as in a run that only collects; raises `SettingsError`."""
    if not settings_module.is_kept(config):
        settings_module.keep(config, _read(config))


def _read(config: pytest.Config) -> Settings:
    line = settings_module.CommandLine(
        report=config.getoption("greenroom_report"),
        target=config.getoption("greenroom_target"),
        file=config.getoption("greenroom_settings"),
        release=tuple(config.getoption("greenroom_release")),
        variables=tuple(config.getoption("greenroom_set")),
        expect=tuple(config.getoption("greenroom_expect")),
        ready=config.getoption("greenroom_ready"),
    )
    environment = settings_module.from_environment(os.environ)
    try:
        table, where = table_of(config.rootpath, line.file)
        found = settings_module.resolve(table or {}, where, environment, line)
        return found if found.tls is None else _with_tls(found, config.rootpath)
    except SettingsError as error:
        if folder := line.report or environment.get("report"):
            _leave_word(Path(folder).absolute(), error)
        raise


def _with_tls(settings: Settings, root: Path) -> Settings:
    """Return the settings with absolute paths of TLS, whose files have been loaded once."""
    tls = None if settings.tls is None else settings.tls.below(root)
    if tls is not None and (tls.ca or tls.client_cert):
        tls.context()
    return replace(settings, tls=tls)


def _ready(config: pytest.Config, settings: Settings) -> Ready | None:
    """Return what to wait for with its variables filled in; raises `SettingsError`."""
    ready = settings.ready or _ready_in_a_hook(settings)
    if ready is None or settings.target is None:
        return None
    given = seconds_given() or math.inf
    ready = replace(ready, within_s=min(ready.within_s, given * _READY_SHARE))
    try:
        return ready.filled(settings_module.variables_of(config))
    except SettingsError as error:
        if settings.report is not None:
            _leave_word(settings.report, error)
        raise


def _ready_in_a_hook(settings: Settings) -> Ready | None:
    """Return what a hook waits for by itself: a function's version has no listener to wait for."""
    path = os.environ.get(READY)
    if not path or settings.target is None or is_function(settings.target):
        return None
    from greenroom.plugins.target_settings import Ready  # noqa: PLC0415 - as above

    return Ready(path=path)


def _leave_word(folder: Path, error: SettingsError) -> None:
    """Replace an earlier run's record in ``folder`` by one that says why there is no new one."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = RunRecord("unstarted", now, Expected(), problems=(str(error),))
    documents = Documents(folder)
    documents.begin(record)
    documents.close()
