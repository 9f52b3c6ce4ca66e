"""Unit tests of the question data and of the ASGI application, without a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from app.api import BODY_LIMIT, api
from app.questions import CATEGORIES, every_category, judge

pytestmark = pytest.mark.unit


def call(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """Call the application as a server would; return status and JSON."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - whatever the application sends
        sent.append(message)

    asyncio.run(api({"type": "http", "method": method, "path": path}, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_there_are_four_categories_with_questions() -> None:
    assert len(every_category()) == 4
    assert all(len(category["questions"]) >= 3 for category in every_category())


def test_every_answer_is_one_of_its_choices() -> None:
    questions = [question for category in CATEGORIES.values() for question in category]
    assert all(question.answer in question.choices for question in questions)
    assert len({question.id for question in questions}) == len(questions)


def test_no_answer_is_sent_with_its_question() -> None:
    assert all(
        question.keys() == {"id", "question", "choices"}
        for category in every_category()
        for question in category["questions"]
    )


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        pytest.param("numbers-2", "12", True, id="right"),
        pytest.param("theatre-1", " THE GREEN ROOM ", True, id="case-and-blanks"),
        pytest.param("numbers-2", "8", False, id="wrong"),
        pytest.param("numbers-99", "8", None, id="unknown-question"),
    ],
)
def test_an_answer_is_judged(question: str, answer: str, *, expected: bool | None) -> None:
    assert judge(question, answer) is expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"no json", 400, id="not-json"),
        pytest.param(b"[]", 400, id="not-an-object"),
        pytest.param(b'{"question": "x-1", "answer": "y"}', 404, id="unknown-question"),
        pytest.param(b" " * (BODY_LIMIT + 1), 413, id="too-large"),
    ],
)
def test_a_bad_answer_is_refused(body: bytes, status: int) -> None:
    assert call("POST", "/api/trivia/answers", body)[0] == status


def test_an_unknown_category_or_route_is_not_found() -> None:
    assert call("GET", "/api/trivia/categories/unheard-of")[0] == 404
    assert call("DELETE", "/api/trivia/all")[0] == 404
