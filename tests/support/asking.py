"""Short ways to run checks of suite texts against a target, without pytest."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.suite_flow import run_steps
from greenroom.plugins.suite_model import HttpCheck, StepsCheck
from greenroom.plugins.suite_run import run_check
from tests.support.suites import HEAD, read, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.suite_model import Check
    from greenroom.plugins.suite_variables import Variables
    from greenroom.validators.finding import Finding


class Asking:
    """Reads checks in flow style and runs them; keeps what was recorded."""

    def __init__(self, folder: Path = Path(), given: Variables | None = None) -> None:
        self.folder = folder
        self.given = given or variables()
        self.connections = Connections()
        self.exchanges: list[dict[str, Any]] = []

    def __call__(self, text: str, url: str, tls: Tls | None = None, head: str = HEAD) -> Finding:
        """Return the finding of the check ``{name: c, TEXT}``."""
        check = self.read(text, head)
        assert isinstance(check, HttpCheck | StepsCheck)
        limits, redactor = Limits(check.timeout_s, check.max_body), self.given.redactor
        record = self.exchanges.append
        with client(url, self.connections, redactor, record, limits, tls=tls) as http:
            if isinstance(check, HttpCheck):
                return run_check(check, url, http, redactor)
            return run_steps(check, url, http, redactor)

    def read(self, text: str, head: str = HEAD) -> Check:
        return read(f"{head}  - {{name: c, {text}}}\n", self.given, self.folder).checks[0]


@contextmanager
def asking(folder: Path = Path(), **environment: str) -> Iterator[Asking]:
    """Give an `Asking` whose connections are closed at the end."""
    made = Asking(folder, variables(**environment))
    try:
        yield made
    finally:
        made.connections.close()
