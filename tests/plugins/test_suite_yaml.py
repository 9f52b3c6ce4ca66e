from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.plugins.suite_yaml import Document, Mapping, Place, plain
from greenroom.validators.errors import SettingsError
from tests.support.suites import HEAD, refusal

if TYPE_CHECKING:
    from greenroom.plugins.suite_yaml import Node


def tree(text: str) -> Node:
    return Document(Path("x.yaml"), text).read()


def problem(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        tree(text)
    return str(caught.value)


BAD = {
    "unclosed": ("a: [1", "x.yaml:1:6: not valid YAML: while parsing a flow sequence"),
    "tab": ("a:\n\t- b", "x.yaml:2:1: not valid YAML"),
    "colon": ("a: b: c", "x.yaml:1:5: not valid YAML: mapping values are not allowed in"),
    "unknown-alias": ("a: *x", "x.yaml:1:4: not valid YAML: found undefined alias"),
    "duplicate-key": ("a: 1\nb: 2\na: 3", "x.yaml:3:1: duplicate key 'a'"),
    "duplicate-deep": ("a: {b: 1, b: 2}", "x.yaml:1:11: duplicate key 'b'"),
    "duplicate-quoted": ('a: 1\n"a": 2', "x.yaml:2:1: duplicate key 'a'"),
    "key-no-text": ("a: 1\n[b]: 2", "x.yaml:2:1: a key must be a text"),
    "two-documents": ("a: 1\n---\nb: 2", "x.yaml:2:1: not valid YAML"),
    "custom-tag": ("a: !secret b", "x.yaml:1:4: unknown tag !secret"),
    "custom-tag-on-a-list": ("a: !x [b]", "x.yaml:1:4: unknown tag !x"),
    "code": ("a: !!python/object/apply:os.system [x]", "x.yaml:1:4: unknown tag"),
    "yes-as-a-bool": ("a: !!bool yes", "x.yaml:1:4: 'yes' is no bool"),
    "text-as-null": ("a: !!null text", "x.yaml:1:4: 'text' is no null"),
    "old-yaml": ("%YAML 1.1\n---\na: no", "x.yaml:1:1: suite files are YAML 1.2"),
    "too-many-digits": (f"a: {'1' * 5000}", "x.yaml:1:4: 111"),
    "infinite": ("a: .inf", "x.yaml:1:4: .inf is not a finite number"),
    "not-a-number": ("a: .nan", "x.yaml:1:4: .nan is not a finite number"),
    "endless-number": (f"a: {'9' * 5_000}", "x.yaml:1:4: 9999"),
    "half-a-character": ('"a\\udfff": 1', "x.yaml:1:5: not valid YAML: while parsing a quoted"),
    "control-character": ("a: 1\nb: \x00", "x.yaml:2:4: not valid YAML: a character"),
    "recursive": ("a: &a [*a]", "x.yaml:1:4: the document is too large or too deep"),
    "too-deep": ("a: " + "[" * 5000, "x.yaml:1:1: not valid YAML: maximum recursion depth"),
    "empty": ("", "x.yaml:1:1: the file is empty"),
    "only-a-comment": ("# nothing", "x.yaml:1:1: the file is empty"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_is_refused_at_its_place(text: str, message: str) -> None:
    assert problem(text).startswith(message)


def test_a_variable_that_must_be_quoted_is_said_to() -> None:
    with pytest.raises(SettingsError) as caught:
        tree("a: {get: /${env.X}}")
    assert "must be quoted" in caught.value.hint


def test_aliases_of_aliases_are_stopped() -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "too large or too deep" in problem("\n".join(laughs))


def test_an_error_shows_its_line_with_a_caret_below_the_place() -> None:
    assert problem("first: 1\nother: !x 2\n") == (
        "x.yaml:2:8: unknown tag !x\n  2 | other: !x 2\n    |        ^"
    )


def test_the_caret_stands_right_below_tabs_too() -> None:
    error = Document(Path("x.yaml"), "\ta: b").error(Place(1, 5), "wrong")
    assert str(error).splitlines()[-1] == "    | \t   ^"


def test_a_place_behind_the_end_is_shown_at_the_end() -> None:
    error = Document(Path("x.yaml"), "a: b").error(Place(7, 3), "wrong")
    assert str(error).startswith("x.yaml:1:5: wrong")


def test_scalars_mean_what_yaml_1_2_says() -> None:
    text = "[yes, no, on, 12:30:00, 2001-12-14, 0o17, 0x1F, 1_000, -5, 1.5, true, ~, '1']"
    assert plain(tree(text)) == [
        *("yes", "no", "on", "12:30:00", "2001-12-14"),
        *(15, 31, 1000, -5, 1.5, True, None, "1"),
    ]


def test_a_scalar_keeps_its_raw_text() -> None:
    node = tree("version: 1.10")
    assert isinstance(node, Mapping)
    assert node.get("version").raw == "1.10"  # type: ignore[union-attr]
    assert node.get("other") is None


@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 8))
def test_an_unknown_key_is_found_wherever_it_stands(lines: int, before: int, indent: int) -> None:
    comments = "# a comment\n" * lines
    entries = "".join(f"{' ' * indent}- name: n{n}\n" for n in range(before))
    checks = re.sub("(name: n.*)", r"{\1, http: {get: /}, expect: {status: 200}}", entries)
    text = f"{comments}{HEAD}{checks}{' ' * indent}- {{name: x, htpt: 1}}\n"
    error = refusal(text)
    line, column = lines + 4 + before, indent + 13
    assert error.startswith(f"a.suite.yaml:{line}:{column}: unknown key 'htpt'")
    _, shown, caret, *_ = error.splitlines()
    assert shown[caret.index("^") :].startswith("htpt")
    assert "did you mean 'http'?" in error
