from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.suite_yaml import Mapping, Scalar, plain
from greenroom.plugins.template_yaml import BYTES_MOST, parse_template, read_template
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def value(text: str, shown: str = "x.yaml") -> Any:  # noqa: ANN401 - a parsed document
    return plain(parse_template(text, shown))


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)

BAD = {
    "empty": ("", "x.yaml", "x.yaml:1:1: the file is empty"),
    "only-a-comment": ("# nothing\n", "x.yaml", "x.yaml:1:1: the file is empty"),
    "tab": ("a:\n\tb: 1", "x.yaml", "x.yaml:2:1: not valid YAML"),
    "two-documents": ("a: 1\n---\nb: 2", "x.yaml", "x.yaml:2:1: not valid YAML"),
    "bomb": (BOMB, "x.yaml", "the document is too large or too deep"),
    "recursive": ("a: &a [*a]", "x.yaml", "the document is too large or too deep"),
    "unknown-tag": ("a: !Reff b", "x.yaml", "x.yaml:1:4: unknown tag !Reff"),
    "code": ("a: !!python/name:os.system x", "x.yaml", "x.yaml:1:4: unknown tag"),
    "duplicate": ("a: 1\nb: 2\na: 3", "x.yaml", "x.yaml:3:1: duplicate key 'a'"),
    "duplicate-in-a-function": ("a: !Sub {b: 1, b: 2}", "x.yaml", "x.yaml:1:16: duplicate key"),
    "json-duplicate": ('{"a": 1,\n "a": 2}', "x.json", "x.json:2:2: duplicate key 'a'"),
    "json-truncated": ('{"a": [1, 2', "x.json", "x.json:1:12: not valid JSON: a comma or ]"),
    "json-comma": ('{"a": [1, 2,]}', "x.json", "x.json:1:13: not valid JSON: a comma stands"),
    "json-key": ("{a: 1}", "x.json", "x.json:1:2: not valid JSON: a key in double quotes"),
    "json-colon": ('{"a" 1}', "x.json", "x.json:1:6: not valid JSON: a colon"),
    "json-value": ('{"a": nope}', "x.json", "x.json:1:7: not valid JSON: a value"),
    "json-text": ('{"a": "b}', "x.json", "x.json:1:7: not valid JSON: Unterminated string"),
    "json-more": ('{"a": 1} 2', "x.json", "x.json:1:10: not valid JSON: more text"),
    "json-infinite": ('{"a": 1e999}', "x.json", "x.json:1:7: 1e999 is not a finite number"),
    "json-half": ('{"a": "\\ud800"}', "x.json", "x.json:1:15: not valid JSON: here ends a text"),
    "half": ('a: "\\ud800"', "x.yaml", "x.yaml:1:7: not valid YAML: while parsing a quoted"),
    "endless-number": (f"a: {'9' * 5_000}", "x.yaml", "x.yaml:1:4: 9999"),
    "json-deep": ('{"a":' + "[" * 5000, "x.json", "the document is too large or too deep"),
}


@pytest.mark.parametrize(("text", "shown", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_refused_at_its_place(text: str, shown: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_template(text, shown)
    assert message in str(caught.value)


FILES = {
    "latin-1": (b"a: 1\nb: \xe4\n", "t.yaml:2:4: not UTF-8"),
    "too-large": (b"#" * (BYTES_MOST + 1), "larger than 1,048,576 bytes"),
}


@pytest.mark.parametrize(("data", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_text_of_bounded_size_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    (tmp_path / "t.yaml").write_bytes(data)
    with pytest.raises(SettingsError, match=message):
        read_template(tmp_path / "t.yaml", "t.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"t\.yaml: cannot be read: No such file"):
        read_template(tmp_path / "t.yaml", "t.yaml")


SHORT = {
    "ref": ("!Ref b", {"Ref": "b"}),
    "condition": ("!Condition b", {"Condition": "b"}),
    "sub": ("!Sub '${b}-c'", {"Fn::Sub": "${b}-c"}),
    "sub-list": ("!Sub ['${b}', {b: 1}]", {"Fn::Sub": ["${b}", {"b": 1}]}),
    "getatt": ("!GetAtt b.c.d", {"Fn::GetAtt": ["b", "c.d"]}),
    "getatt-list": ("!GetAtt [b, c]", {"Fn::GetAtt": ["b", "c"]}),
    "nested": (
        "!If [prod, !Ref b, !Sub c]",
        {"Fn::If": ["prod", {"Ref": "b"}, {"Fn::Sub": "c"}]},
    ),
    "mapping": ("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}),
}


@pytest.mark.parametrize(("text", "long"), SHORT.values(), ids=SHORT)
def test_short_forms_become_long_ones(text: str, long: object) -> None:
    assert value(f"a: {text}") == {"a": long}


SCALARS = {
    "yes": ("yes", True),
    "off": ("off", False),
    "account": ("012345678901", "012345678901"),
    "sexagesimal": ("1:30", "1:30"),
    "hexadecimal": ("0x1f", "0x1f"),
    "date": ("2012-10-17", "2012-10-17"),
    "version": ("0.0", 0.0),
    "infinite": (".inf", ".inf"),
    "binary": ("!!binary aGk=", "aGk="),
    "null": ("~", None),
}


@pytest.mark.parametrize(("raw", "meant"), SCALARS.values(), ids=SCALARS)
def test_scalars_mean_what_yaml_1_1_says(raw: str, meant: object) -> None:
    assert value(f"a: {raw}") == {"a": meant}


def test_a_file_that_names_its_yaml_version_is_read_by_it() -> None:
    assert value("%YAML 1.2\n---\na: no") == {"a": "no"}


def test_merge_keys_are_merged_and_own_keys_win() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {c: 3}\nz: {<<: [*x, *y], b: 2}"
    assert value(text)["z"] == {"a": 1, "c": 3, "b": 2}


def test_json_is_read_with_its_places() -> None:
    root = parse_template('{"a": {\n  "b": [1, -2.5e1, true, null, "\\u00e4"]\n}}', "x.json")
    assert plain(root) == {"a": {"b": [1, -25.0, True, None, "ä"]}}
    assert isinstance(root, Mapping)
    inner = root.entries[0].value
    assert isinstance(inner, Mapping)
    assert (inner.entries[0].place.line, inner.entries[0].place.column) == (2, 3)


def test_a_short_form_keeps_its_place() -> None:
    root = parse_template("a:\n  - !Ref b\n", "x.yaml")
    assert isinstance(root, Mapping)
    argument = root.entries[0].value.items[0].get("Ref")  # type: ignore[union-attr]
    assert isinstance(argument, Scalar)
    assert (argument.place.line, argument.place.column) == (2, 5)
