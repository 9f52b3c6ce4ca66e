"""A file of waivers is read whole, or refused at its line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
version: 1
waivers:
  - id: CVE-2024-1
    reason: not reachable
    expires: 2027-01-31
    package: openssl
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WHOLE.replace("waivers:", "waiver:"), "waivers.yaml:2:1: unknown key 'waiver'"),
        (WHOLE.replace("package:", "pakage:"), "waivers.yaml:6:5: unknown key 'pakage'"),
        (WHOLE.replace("    reason: not reachable\n", ""), "the waiver has no 'reason'"),
        (WHOLE.replace("not reachable", '" "'), "waivers.yaml:4:13: reason is blank"),
        (WHOLE.replace("2027-01-31", "soon"), "waivers.yaml:5:14: expires is 'soon', not a date"),
        (WHOLE.replace("version: 1", "version: 2"), "version must be a whole number"),
        ("version: 1\nwaivers: []\n", "waivers is empty"),
        (
            WHOLE.replace("CVE-2024-1", "'*'").replace("    package: openssl\n", ""),
            "waivers.yaml:3:9: it waives whatever is found",
        ),
        ("", "the file is empty"),
    ],
    ids=["top", "key", "no-reason", "blank", "no-date", "version", "none", "all", "empty"],
)
def test_a_wrong_file_is_refused_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_waivers(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["absent", "not-utf-8"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "waivers.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read the waivers"):
        read_waivers(path)


def test_a_waiver_knows_its_place(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(WHOLE)
    (waiver,) = read_waivers(path)
    assert (waiver.id, waiver.package, waiver.where) == ("CVE-2024-1", "openssl", "waivers.yaml:3")
    assert waiver.expires == date(2027, 1, 31)
