"""Calls that run beside the suite; nobody waits for one longer than they want."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Generic, TypeVar

from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Background(Generic[Result]):
    """``call`` in a daemon thread of its own."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._outcome: Future[Result] = Future()
        threading.Thread(target=self._run, args=(call,), daemon=True).start()

    def _run(self, call: Callable[[], Result]) -> None:
        try:
            self._outcome.set_result(call())
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._outcome.set_exception(error)

    def result(self, until: float) -> Result:
        """Return or raise what the call did; raise `ServiceError` at ``until`` without either."""
        try:
            return self._outcome.result(timeout=max(until - time.monotonic(), 0.0))
        except FutureTimeoutError:
            raise ServiceError(
                "no answer in time", hint="check network, VPC endpoint and security groups"
            ) from None
