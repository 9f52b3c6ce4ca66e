"""The proof that the replacement answered."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.revision import AnsweredBy, answered_by
from greenroom.plugins.suite_variables import UnresolvedError, Variables
from greenroom.validators.errors import SettingsError
from greenroom.validators.http import Answer
from tests.support.runs import Ran, run
from tests.support.servers import Asked, Reply, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Served

HEADER = answered_by(equals="v2", header="X-Revision")
FIELD = answered_by(equals="42", path="$.build")


def answer(body: object = None, **headers: str) -> Answer:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(200, pairs, json.dumps(body).encode(), 0.1)


MISSES = {
    "other": (HEADER, answer(x_revision="v1"), "revision v1"),
    "none": (HEADER, answer(), "no header x-revision"),
    "empty": (HEADER, answer(x_revision=""), "revision (empty)"),
    "part": (HEADER, answer(x_revision="v22"), "revision v22"),
    "control": (HEADER, answer(x_revision="v\x1b[31m"), "revision v\\x1b[31m"),
    "field-other": (FIELD, answer({"build": 41}), "revision 41"),
    "field-null": (FIELD, answer({"build": None}), "revision null"),
    "field-absent": (FIELD, answer({}), "no json $.build"),
    "no-json": (FIELD, Answer(200, (), b"<html>", 0.1), "no json $.build"),
    "two": (
        answered_by(equals="v2", path="$[*].rev"),
        answer([{"rev": "v2"}, {"rev": "v1"}]),
        "revision v2, v1",
    ),
    "unknown": (AnsweredBy("", header="x-revision"), answer(x_revision=""), "revision (empty)"),
}


@pytest.mark.parametrize(("wanted", "given", "seen"), MISSES.values(), ids=MISSES.keys())
def test_a_miss_says_which_revision_answered(wanted: AnsweredBy, given: Answer, seen: str) -> None:
    rule = wanted.judge(given)
    assert (rule.met, rule.observed) == (False, seen)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [(HEADER, answer(x_revision=" v2 ")), (FIELD, answer({"build": 42}))],
    ids=["header", "number"],
)
def test_the_replacement_is_known_by_its_revision(wanted: AnsweredBy, given: Answer) -> None:
    assert wanted.judge(given).met is True


def test_a_revision_that_is_not_known_is_an_error_and_no_pass() -> None:
    unknown = answered_by(equals="${release.revision}", header="x-revision")
    with pytest.raises(UnresolvedError):
        unknown.filled(Variables({}, {}, {}, Redactor()))
    with pytest.raises(SettingsError, match="is empty"):
        unknown.filled(Variables({}, {}, {"revision": " "}, Redactor()))
    assert unknown.filled(Variables({}, {}, {"revision": "v2"}, Redactor())).equals == "v2"


# In a run

SETTINGS = '[revision]\nheader = "x-revision"\n'
ASKS = """
import pytest

@pytest.mark.smoke
def test_it(target):
    assert target.get("/all").status_code == 200
"""


def revisions(asked: Asked) -> Reply:
    match asked.path:
        case "/old":
            return Reply(b"[]", headers={"X-Revision": "v1"})
        case "/away":
            place = f"http://localhost:{asked.headers['host'].rpartition(':')[2]}/old"
            return Reply(b"", 302, {"Location": place, "X-Revision": "v2"})
        case _:
            return Reply(b"[]", headers={"X-Revision": "v2"})


@pytest.fixture
def service() -> Iterator[Served]:
    with serving(revisions) as server:
        yield server


def ran(folder: Path, url: str, source: str, *arguments: str, settings: str = SETTINGS) -> Ran:
    (folder / "greenroom.toml").write_text(settings)
    (folder / "test_it.py").write_text(dedent(source))
    return run(folder, "--greenroom-target", url, *arguments)


def test_each_answer_of_the_target_is_proven(tmp_path: Path, service: Served) -> None:
    result = ran(tmp_path, service.url, ASKS, "--greenroom-release", "revision=v2")
    check = result.check("test_it")
    assert (result.verdict, check["outcome"]) == ("ship", "passed")
    what = [(item["amount"], item["what"]) for item in check["evidence"]]
    assert (1, "answers from revision v2") in what


def test_an_answer_of_another_revision_fails_whatever_the_test_makes_of_it(
    tmp_path: Path, service: Served
) -> None:
    source = """
    def test_it(target):
        try:
            target.get("/old")
        except Exception:
            pass
    """
    result = ran(tmp_path, service.url, source, "--greenroom-release", "revision=v2")
    finding = result.check("test_it")["finding"]
    assert result.verdict == "do-not-ship"
    assert "answered by revision v1" in finding["seen"]
    assert "answered by revision v2 (header x-revision)" in finding["expected"]


def test_without_the_releases_revision_it_is_an_error(tmp_path: Path, service: Served) -> None:
    result = ran(tmp_path, service.url, ASKS)
    assert result.verdict == "could-not-decide"
    assert "${release.revision} is not set" in result.reasons
    assert service.asked == []


def test_answers_that_nobody_judged_prove_nothing(tmp_path: Path, service: Served) -> None:
    source = """
    def test_it(target):
        target.event_hooks = {}
        target.get("/old")
    """
    result = ran(tmp_path, service.url, source, "--greenroom-release", "revision=v2")
    assert result.verdict == "could-not-decide"
    assert "1 of 1 answers were not the target's or not judged" in result.reasons


def test_an_answer_from_where_a_redirect_led_has_a_revision_of_its_own(
    tmp_path: Path, service: Served
) -> None:
    source = "def test_it(target): assert target.get('/away', follow_redirects=True)"
    result = ran(tmp_path, service.url, source, "--greenroom-release", "revision=v2")
    assert result.verdict == "ship"


SUITE = """\
version: 1
name: s
checks:
  - {name: c, http: {get: /old}, expect: {status: 200}}
"""


def test_a_suite_at_the_settings_target_proves_it_too(tmp_path: Path, service: Served) -> None:
    (tmp_path / "a.suite.yaml").write_text(SUITE)
    (tmp_path / "b.suite.yaml").write_text(
        SUITE.replace("checks:", f"target: {service.url}\nchecks:")
    )
    result = ran(tmp_path, service.url, "", "--greenroom-release", "revision=v2")
    first, second = result.record["checks"]
    assert (first["outcome"], second["outcome"]) == ("failed", "passed")
    assert first["finding"]["seen"] == "answered by revision v1"
    assert first["evidence"][0]["what"] == "response of 2 bytes from revision v1"


def test_a_suite_without_the_releases_revision_is_not_collected(
    tmp_path: Path, service: Served
) -> None:
    (tmp_path / "a.suite.yaml").write_text(SUITE)
    result = ran(tmp_path, service.url, "")
    assert result.verdict == "could-not-decide"
    assert "${release.revision} is not set" in result.reasons
