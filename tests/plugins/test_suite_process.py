"""The log of a suite: whatever its output, the next line in it is a line of its own."""

from __future__ import annotations

import io
import os
import threading

import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_process import keep_log


@pytest.mark.parametrize(
    ("said", "kept"),
    [(b"", b""), (b"done\n", b"done\n"), (b"cut off", b"cut off\n"), (b"\n", b"\n")],
    ids=["nothing", "whole", "cut", "blank"],
)
def test_the_last_line_is_ended(said: bytes, kept: bytes) -> None:
    read, write = os.pipe()
    os.write(write, said)
    os.close(write)
    log, echo = io.BytesIO(), io.BytesIO()
    keep_log(os.fdopen(read, "rb"), log, echo)
    assert (log.getvalue(), echo.getvalue()) == (kept, kept)


def said_by(text: bytes, *, given_up: bool = False) -> tuple[bytes, bytes]:
    """Return what log and echo have of ``text``."""
    read, write = os.pipe()
    os.write(write, text)
    os.close(write)
    log, echo, over = io.BytesIO(), io.BytesIO(), threading.Event()
    if given_up:
        over.set()
    keep_log(os.fdopen(read, "rb"), log, echo, Redactor(["ahf8Ohgh2Eey"]), over)
    return log.getvalue(), echo.getvalue()


def test_no_secret_is_logged() -> None:
    log, echo = said_by(b"the key is ahf8Ohgh2Eey\xff\n")
    assert log == echo == b"the key is [redacted]\xff\n"


def test_no_line_of_the_suite_s_looks_like_the_hook_s() -> None:
    forged = b'{"greenroom": "hook"}\n  {"_aws": {}}\nfine {"a": 1}\n'
    log, echo = said_by(forged)
    assert log == forged
    assert echo == b'| {"greenroom": "hook"}\n| {"_aws": {}}\nfine {"a": 1}\n'


def test_what_comes_after_the_end_is_not_logged() -> None:
    assert said_by(b"late\n", given_up=True) == (b"", b"")
