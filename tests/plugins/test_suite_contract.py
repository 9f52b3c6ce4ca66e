from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.suite_contract import load_contract, read_json
from greenroom.validators.errors import SettingsError
from tests.support.suites import check, http_checks, read, refusal, with_check

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"type": "array", "items": {"type": "object", "required": ["name"]}}

NOT_JSON = {
    "text": (b"oops", "Expecting value"),
    "empty": (b"", "Expecting value"),
    "html": (b"<script>alert(1)</script>", "Expecting value"),
    "duplicate-name": (b'{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate name 'c'"),
    "nan": (b'{"a": NaN}', "NaN is not JSON"),
    "infinity": (b"[-Infinity]", "-Infinity is not JSON"),
    "too-large": (b"1e999", "the number 1e999 is too large"),
    "too-many-digits": (b"9" * 5000, "Exceeds the limit"),
    "not-utf-8": (b'"\xff"', "not UTF-8 at byte 1"),
    "too-deep": (b"[" * 200_000, "nested too deeply"),
    "two-values": (b"1 2", "Extra data"),
}


@pytest.mark.parametrize(("body", "message"), NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_by_the_letter_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        read_json(body)


def test_json_is_read_with_or_without_a_byte_order_mark() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": [1.5, 1e3, null]}') == {"a": [1.5, 1000.0, None]}


def test_violations_say_where_and_what(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    contract = load_contract(tmp_path / "names.json", "names.json")
    assert contract.violations([{"name": "a"}]) == ()
    (one,) = contract.violations([{"name": "a"}, {"nam": "b"}])
    assert str(one) == "/1: 'name' is a required property"


def test_endless_violations_are_cut(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    contract = load_contract(tmp_path / "names.json", "names.json")
    assert len(contract.violations([{}] * 5000)) == 100


def test_formats_are_held(tmp_path: Path) -> None:
    (tmp_path / "day.json").write_text('{"type": "string", "format": "date"}')
    contract = load_contract(tmp_path / "day.json", "day.json")
    assert contract.violations("2026-02-30")
    assert not contract.violations("2026-02-28")


def test_references_within_the_file_are_followed(tmp_path: Path) -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}
    (tmp_path / "n.json").write_text(json.dumps(schema))
    assert load_contract(tmp_path / "n.json", "n.json").violations([1, "2"])


def test_a_reference_within_data_is_none(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"const": {"$ref": "http://elsewhere.invalid/"}}')
    assert load_contract(tmp_path / "c.json", "c.json").violations(1)


DRAFT_4_PATTERN = json.dumps(
    {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "patternProperties": {r"\p{Letter}": {}},
    }
)
BAD = {
    "not-json": ('{\n "a": }', "c.json:2:7: Expecting value"),
    "duplicate-name": ('{"type": "object", "type": "array"}', "duplicate name 'type'"),
    "a-list": ("[]", "must be a JSON object with keywords"),
    "accepts-everything": ("{}", "must be a JSON object with keywords"),
    "misspelt": ('{"typ": "array"}', "none of its keywords constrains anything: typ"),
    "only-definitions": ('{"$defs": {"a": {"type": "array"}}}', "constrains anything: $defs"),
    "true": ("true", "must be a JSON object with keywords"),
    "no-schema": ('{"type": "text"}', "not a valid JSON Schema at $.type"),
    "remote": ('{"$ref": "https://elsewhere.invalid/a"}', "leaves the file"),
    "sibling": ('{"items": {"$ref": "other.json#/a"}}', "cannot read the schema"),
    "no-pattern": (DRAFT_4_PATTERN, "is not a regular expression: bad escape"),
    "undefined": ('{"items": {"$ref": "#/$defs/none"}}', "has no definition"),
    "not-utf-8": (b"\xff", "it is not UTF-8"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_schema_that_cannot_serve_is_refused(
    text: str | bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load_contract(tmp_path / "c.json", "c.json")
    assert message in str(caught.value)


def test_a_suite_finds_its_schema_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "names.json").write_text(json.dumps(NAMES))
    contract = check("{schema: contracts/names.json}", folder=tmp_path).expect.contract
    assert contract is not None
    assert contract.name == "contracts/names.json"


def test_a_suite_shows_which_line_names_a_bad_schema(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{}")
    text = with_check("http: {get: /}\n    expect: {schema: c.json}")
    assert refusal(text, folder=tmp_path).startswith("a.suite.yaml:6:22: ")


def outside(tmp_path: Path, name: str) -> str:
    """Return why a suite in ``tmp_path/root/suites`` cannot have this schema."""
    folder = tmp_path / "root" / "suites"
    folder.mkdir(parents=True)
    (tmp_path / "c.json").write_text(json.dumps(NAMES))
    (folder / "link.json").symlink_to(tmp_path / "c.json")
    (folder / "loop.json").symlink_to("loop.json")
    text = with_check(f"http: {{get: /}}\n    expect: {{schema: {name}}}")
    return refusal(text, folder=folder, root=tmp_path / "root")


@pytest.mark.parametrize("name", ["../../c.json", "link.json"], ids=["path", "link"])
def test_a_schema_outside_the_root_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    error = outside(tmp_path, name)
    assert error.startswith(f"a.suite.yaml:6:22: the schema {name} is outside {tmp_path}/root\n")
    assert "hint: keep schemas below pytest's root folder" in error


def test_a_link_to_itself_is_no_schema(tmp_path: Path) -> None:
    assert "cannot read the schema" in outside(tmp_path, "loop.json")


def test_a_schema_elsewhere_below_the_root_is_found(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    text = with_check("http: {get: /}\n    expect: {schema: ../names.json}")
    suite = read(text, folder=tmp_path / "suites", root=tmp_path)
    assert http_checks(suite)[0].expect.contract is not None
