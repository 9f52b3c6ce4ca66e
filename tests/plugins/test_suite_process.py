"""The log of a suite: whatever its output, the next line in it is a line of its own."""

from __future__ import annotations

import io
import os

import pytest

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
    copies = io.BytesIO(), io.BytesIO()
    keep_log(os.fdopen(read, "rb"), copies)
    assert [copy.getvalue() for copy in copies] == [kept, kept]
