from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_parser import parse_suite
from greenroom.validators.http import Answer
from tests.support.suites import TARGET, check, http_checks, refusal, variables, with_check

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_snapshot import Snapshot
    from greenroom.validators.finding import Rule

KEY = "s3cr3t-v4lue"
MASKED = "{file: s.json, mask: ['$.id', '$..at']}"
KEPT = {"id": "a", "name": "x", "log": [{"at": 1, "by": "me"}]}


def answer(body: bytes | object) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(200, (), content, 0.1)


def compared(folder: Path, got: bytes | object, snapshot: str = MASKED) -> Rule:
    found = check(f"{{snapshot: {snapshot}}}", folder=folder).expect.snapshot
    assert found is not None
    return found.judge(answer(got), met=True)


def writing(folder: Path, snapshot: str = MASKED, *secrets: str) -> Snapshot:
    """Return the snapshot as it is in a run that writes them."""
    contracts = Contracts(folder, folder, Redactor(secrets))
    text = with_check(f"http: {{get: /}}\n    expect: {{snapshot: {snapshot}}}")
    suite = parse_suite(text, folder / "a.suite.yaml", contracts, variables(), TARGET)
    found = http_checks(suite)[0].expect.snapshot
    assert found is not None
    return found


def test_a_missing_snapshot_is_an_error_and_is_not_written(tmp_path: Path) -> None:
    rule = compared(tmp_path, KEPT)
    assert rule.met is None
    assert "--greenroom-update-snapshots" in rule.observed
    assert list(tmp_path.iterdir()) == []


DIFFERENT = {
    "value": (KEPT | {"name": "y"}, '$.name: expected "x", received "y"'),
    "type-of-a-masked": (KEPT | {"id": 1}, '$.id: expected "", received 0'),
    "lacks-a-masked": ({"name": "x", "log": KEPT["log"]}, '$.id: expected "", received nothing'),
    "beside-a-masked": (
        KEPT | {"log": [{"at": 2, "by": "you"}]},
        '$.log[0].by: expected "me", received "you"',
    ),
    "more": (KEPT | {"more": None}, "$.more: expected nothing, received null"),
    "not-json": (b"oops", "no JSON: Expecting value: line 1 column 1 (char 0)"),
}


@pytest.mark.parametrize(("got", "observed"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_another_answer_fails_and_shows_where(
    tmp_path: Path, got: bytes | object, observed: str
) -> None:
    (tmp_path / "s.json").write_text(json.dumps(KEPT))
    rule = compared(tmp_path, got)
    assert rule.met is False
    assert rule.observed == observed


def test_what_is_masked_may_have_any_value_of_its_type(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(KEPT))
    got = KEPT | {"id": "another", "log": [{"at": 2.5, "by": "me"}]}
    assert (compared(tmp_path, got).met, compared(tmp_path, got).observed) == (True, "the same")
    assert compared(tmp_path, {"other": [1]}, "{file: s.json, mask: [$]}").met


@pytest.mark.parametrize(
    "content", [b"oops", b"\xff", b'{"a": 1, "a": 2}'], ids=["text", "binary", "twice"]
)
def test_a_snapshot_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.json").write_bytes(content)
    rule = compared(tmp_path, KEPT)
    assert rule.met is None
    assert rule.observed.startswith("the file cannot be read: ")


def test_a_text_is_compared_by_the_letter(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("a\nb")
    assert compared(tmp_path, b"a\nb", "s.txt").met
    assert compared(tmp_path, b"a\nc", "s.txt").observed == '"a\\nc"'
    assert compared(tmp_path, b"\xff", "s.txt").observed == "no text: not utf-8 at byte 0"


def test_a_run_that_writes_snapshots_compares_nothing_and_does_not_pass(tmp_path: Path) -> None:
    rule = writing(tmp_path, MASKED.replace("s.json", "new/s.json")).judge(answer(KEPT), met=True)
    assert (rule.met, rule.observed.partition(",")[0]) == (None, "written")
    kept = json.loads((tmp_path / "new" / "s.json").read_text())
    assert kept == {"id": "", "name": "x", "log": [{"at": 0, "by": "me"}]}
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["s.json"]


def test_an_answer_that_misses_anything_else_is_not_written(tmp_path: Path) -> None:
    rule = writing(tmp_path).judge(answer(KEPT), met=False)
    assert (rule.met, rule.observed) == (None, "not written: see the rest")
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_written(tmp_path: Path) -> None:
    rule = writing(tmp_path, MASKED, KEY).judge(answer(KEPT | {"name": KEY}), met=True)
    assert rule.observed == "not written: it would hold a secret; mask it"
    assert list(tmp_path.iterdir()) == []
    writing(tmp_path, MASKED, KEY).judge(answer(KEPT | {"id": KEY}), met=True)
    assert KEY not in (tmp_path / "s.json").read_text()


def test_a_snapshot_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file where the folder should be")
    rule = writing(tmp_path, "s/a.txt").judge(answer(b"x"), met=True)
    assert rule.observed.startswith("not written: ")


def test_a_snapshot_outside_the_root_is_refused(tmp_path: Path) -> None:
    text = with_check("http: {get: /}\n    expect: {snapshot: ../s.json}")
    assert "the snapshot ../s.json is outside" in refusal(text, folder=tmp_path)
