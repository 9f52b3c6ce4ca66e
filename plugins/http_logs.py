"""Keeps credentials out of what the HTTP client itself logs: addresses, and headers of answers."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.redaction import Redactor

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11")
_HEADERS = re.compile(r"\[\(b['\"].*\)\]", re.DOTALL)
"""The list of an answer's headers as httpcore logs it."""


def clean_http_logs(redactor: Redactor) -> Callable[[], None]:
    """Redact what httpx and httpcore log from now on; the function that is returned ends it."""

    def clean(record: logging.LogRecord) -> bool:
        record.msg = redactor.url(_HEADERS.sub("[headers]", record.getMessage()))
        record.args = ()
        return True

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(clean)

    def end() -> None:
        for logger in loggers:
            logger.removeFilter(clean)

    return end
