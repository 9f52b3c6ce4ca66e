from __future__ import annotations

import json

import pytest

from greenroom.plugins.import_model import Draft, Imported, Tally
from greenroom.plugins.import_writer import schema_files, suite_text
from tests.support.suites import http_checks, read

TEXTS = (
    "yes",
    "012",
    "1_000",
    "2026-01-01",
    "~",
    "",
    "- x",
    "a # b",
    "a\nb\n",
    " x ",
    "a\tb",
    "on",
)
MORE = (
    "\x00\x85\u2028\ufeff",
    "😀",
    "<<",
    "://",
    "?//",
    "0o7",
    "true",
    "null",
    "%a",
    "@b",
    "*a",
    "''",
)
VALUES = {
    "texts": list(TEXTS),
    "more": list(MORE),
    "keys": [{text: 1} for text in (*TEXTS, *MORE)],
    "block": {text: text for text in (*TEXTS, *MORE)},
    "numbers": [1e-7, 1.0, -0.0, 1e300, 123456789012345678901234567890, 0.1],
    "nothing": [None, {}, [], [[]], [{}], False],
    "long": {"k" * 200: "long " * 60},
}


def draft(name: str = "c", value: object = None, schema: dict[str, object] | None = None) -> Draft:
    content = None if value is None else ("json", value)
    return Draft(name, "post", "/", {"status": 200}, content=content, schema=schema)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_every_value_is_read_as_it_was(value: object) -> None:
    imported = Imported("n", "k", "", (draft(value=value),), Tally(), (), ())
    [check] = http_checks(read(suite_text(imported, "", "file", {})))
    assert json.loads(check.request.content or b"") == value


def test_schemas_get_names_of_their_own() -> None:
    drafts = (draft("GET /a", schema={"const": "\ud800"}), draft("GET /a/", schema={}), draft("x"))
    files = schema_files((*drafts, draft("::", schema={})))
    assert [file for file, _ in files.values()] == [
        "get-a.schema.json",
        "get-a-2.schema.json",
        "answer.schema.json",
    ]
    assert "\\ud800" in files["GET /a"][1]
