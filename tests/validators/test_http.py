from __future__ import annotations

import pytest

from greenroom.validators.http import (
    Answer,
    StatusSet,
    Violation,
    judge_body_text,
    judge_cookie,
    judge_header,
    judge_schema,
    judge_size,
    judge_status,
    judge_time,
)
from greenroom.validators.json_values import Expectation, Operator
from greenroom.validators.threshold import parse_threshold

ANSWER = Answer(
    status=204,
    headers=(("vary", "accept"), ("x-a", "1"), ("vary", "origin")),
    body=b"",
    elapsed_s=0.5,
)


@pytest.mark.parametrize(
    ("accepted", "met"),
    [
        (StatusSet(codes=frozenset({200})), False),
        (StatusSet(classes=frozenset({3})), False),
        (StatusSet(), False),
        (StatusSet(codes=frozenset({204, 404})), True),
        (StatusSet(classes=frozenset({2, 4})), True),
    ],
    ids=["another-code", "another-class", "none", "the-code", "the-class"],
)
def test_a_status_must_be_accepted(accepted: StatusSet, met: bool) -> None:  # noqa: FBT001 - a case
    rule = judge_status(accepted, ANSWER)
    assert rule.met is met
    assert rule.observed == "204"


def test_accepted_statuses_read_in_order() -> None:
    accepted = StatusSet(frozenset({404, 301}), frozenset({2}))
    assert str(accepted) == "301 or 404 or 2xx"


@pytest.mark.parametrize(
    ("limit", "met"),
    [("time < 500ms", False), ("time <= 500ms", True), ("time < 2s", True)],
    ids=["at-the-limit", "at-an-inclusive-limit", "under"],
)
def test_a_time_is_compared_with_its_limit(limit: str, met: bool) -> None:  # noqa: FBT001 - a case
    assert judge_time(parse_threshold(limit), ANSWER).met is met


def test_a_repeated_header_is_judged_as_one_list() -> None:
    rule = judge_header("Vary", Expectation(Operator.EQUALS, "accept, origin"), ANSWER)
    assert rule.met is True
    assert rule.rule == "header vary"


def test_an_absent_header_meets_only_its_absence() -> None:
    assert judge_header("x-b", Expectation(Operator.CONTAINS, ""), ANSWER).met is False
    assert judge_header("x-b", Expectation(Operator.EXISTS, argument=False), ANSWER).met is True


def test_a_document_without_violations_is_valid() -> None:
    rule = judge_schema("a.schema.json", ())
    assert (rule.met, rule.limit, rule.observed) == (True, "a.schema.json", "valid")


def test_the_first_violations_are_shown_and_the_rest_counted() -> None:
    rule = judge_schema("s", [Violation(f"/{n}", "is wrong") for n in range(7)])
    assert rule.met is False
    assert rule.observed.startswith("/0: is wrong; /1")
    assert rule.observed.endswith("and 2 more")


def test_a_violation_of_the_whole_document_says_so() -> None:
    assert str(Violation("", "is no object")) == "(root): is no object"


def answer(body: bytes = b"", *headers: tuple[str, str]) -> Answer:
    return Answer(200, headers, body, 0.1)


def typed(body: bytes, charset: str) -> Answer:
    return answer(body, ("content-type", f"text/plain; charset={charset}"))


@pytest.mark.parametrize(
    ("limit", "met"), [("size < 4B", False), ("size <= 4B", True)], ids=["at", "within"]
)
def test_a_size_is_the_bodys(limit: str, met: bool) -> None:  # noqa: FBT001 - a case
    assert judge_size(parse_threshold(limit), answer(b"four")).met is met


NOT_TEXT = {
    "wrong-charset": (typed(b"\xff", "utf-8"), "not utf-8 at byte 0"),
    "none-named": (answer(b"caf\xe9"), "not utf-8 at byte 3"),
    "unknown-charset": (typed(b"a", "klingon"), "in the unknown charset klingon"),
    "no-charset-of-text": (typed(b"61", "hex"), "in the unknown charset hex"),
    "a-way-to-hide-mark-up": (typed(b"+ADw-", "utf-7"), "in the unknown charset utf-7"),
    "escapes": (typed(b"a", "unicode_escape"), "in the unknown charset unicode_escape"),
}


@pytest.mark.parametrize(("seen", "observed"), NOT_TEXT.values(), ids=NOT_TEXT.keys())
def test_a_body_in_another_charset_is_no_text(seen: Answer, observed: str) -> None:
    rule = judge_body_text(Expectation(Operator.NOT, (Expectation(Operator.EQUALS, "x"),)), seen)
    assert (rule.met, rule.observed) == (False, observed)


@pytest.mark.parametrize(
    "seen",
    [
        typed(b"caf\xe9", "iso-8859-1"),
        typed("café".encode(), '"UTF-8"'),
        answer("\ufeffcafé".encode()),
    ],
    ids=["latin-1", "quoted", "byte-order-mark"],
)
def test_a_body_is_read_in_the_charset_that_it_names(seen: Answer) -> None:
    assert judge_body_text(Expectation(Operator.EQUALS, "café"), seen).met


COOKIES = answer(
    b"",
    ("set-cookie", 'sid="abc"; Path=/; HttpOnly'),
    ("set-cookie", "old=x; Max-Age=0"),
    ("set-cookie", "older=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ("set-cookie", "oldest=x; max-age=-1"),
    ("set-cookie", "kept=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ("set-cookie", "odd=x; Expires=soon"),
)


@pytest.mark.parametrize("name", ["old", "older", "oldest", "none", "SID"])
def test_a_cookie_that_is_deleted_or_never_set_is_absent(name: str) -> None:
    rule = judge_cookie(name, Expectation(Operator.EXISTS, argument=True), COOKIES)
    assert (rule.met, rule.observed) == (False, "not set")


@pytest.mark.parametrize(("name", "value"), [("sid", "abc"), ("kept", "x"), ("odd", "x")])
def test_a_cookies_value_is_compared_and_never_shown(name: str, value: str) -> None:
    assert judge_cookie(name, Expectation(Operator.EQUALS, value), COOKIES).met
    missed = judge_cookie(name, Expectation(Operator.EQUALS, "y"), COOKIES)
    assert (missed.met, missed.observed) == (False, "a value that is not shown")
