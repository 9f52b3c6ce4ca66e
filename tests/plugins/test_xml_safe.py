"""XML that nobody vouches for: within limits, or a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import xml_safe
from greenroom.plugins.xml_safe import parse_xml, read_xml
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

LAUGHS = b'<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
EXTERNAL = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
DECLARED = '<?xml version="1.0" encoding="{0}"?><a b="Grün"/>'


@pytest.mark.parametrize(
    ("data", "doctype", "problem"),
    [
        pytest.param(LAUGHS, False, "a document type", id="laughs"),
        pytest.param(LAUGHS, True, "an entity", id="laughs-where-a-doctype-may-be"),
        pytest.param(EXTERNAL, True, "an entity", id="external"),
        pytest.param(b"<a><b></a>", False, "not whole XML", id="crossed"),
        pytest.param(b"<a><b/>", False, "not whole XML", id="cut-short"),
        pytest.param(b'<a b="\xff\xfe"/>', False, "not whole XML", id="undeclared-latin"),
        pytest.param(b"\x00\x01\x02", False, "not whole XML", id="binary"),
        pytest.param(
            b'<?xml version="1.0" encoding="klingon"?><a/>', False, "not whole XML", id="klingon"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="shift_jis"?><a b="\x81"/>',
            *(False, "not whole XML"),
            id="wrongly-declared",
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="punycode"?><a>-' + b"a" * 1_000_000,
            *(False, "no report is written in punycode"),
            id="slow-to-decode",
        ),
        pytest.param(b"<a>" * 101, False, "100 levels deep", id="deep"),
    ],
)
def test_what_is_no_plain_whole_xml_is_refused(
    data: bytes,
    doctype: bool,  # noqa: FBT001 - a parameter of the cases
    problem: str,
) -> None:
    with pytest.raises(ToolError, match=problem):
        parse_xml(data, "report.xml", doctype=doctype)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "cp437", "gb18030"]
)
def test_declared_encodings_are_read(encoding: str) -> None:
    root = parse_xml(DECLARED.format(encoding).encode(encoding), "report.xml")
    assert root.get("b") == "Grün"


def test_a_document_type_may_be_named_where_formats_have_one() -> None:
    data = b'<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report/>'
    assert parse_xml(data, "jacoco.xml", doctype=True).tag == "report"


def test_too_many_bytes_or_elements_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.xml"
    path.write_text("<a>" + "<b/>" * 50 + "</a>")
    monkeypatch.setattr(xml_safe, "ELEMENTS_MOST", 50)
    with pytest.raises(ToolError, match="more than 50 elements"):
        read_xml(path)
    with path.open("r+b") as file:
        file.truncate(xml_safe.BYTES_MOST + 1)
    with pytest.raises(ToolError, match="larger than 64 MiB"):
        read_xml(path)


def test_a_file_that_is_gone_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be read"):
        read_xml(tmp_path / "report.xml")
    (tmp_path / "report.xml").write_text("\n")
    with pytest.raises(ToolError, match="is empty"):
        read_xml(tmp_path / "report.xml")
