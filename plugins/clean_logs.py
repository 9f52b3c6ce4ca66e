"""Keeps secrets out of what is logged: the HTTP client's own lines, and the lines pytest shows."""

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


class CleanFormatter(logging.Formatter):
    """Formats as ``inner`` does, without any secret; records stay as they are."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return self._redactor.text(self._inner.format(record))


def clean_handlers(redactor: Redactor) -> None:
    """Redact the lines of every handler that the root logger has now."""
    for handler in logging.getLogger().handlers:
        if (inner := handler.formatter) is not None and not isinstance(inner, CleanFormatter):
            handler.setFormatter(CleanFormatter(inner, redactor))
