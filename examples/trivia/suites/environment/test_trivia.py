"""Checks in Python of a running trivia API, for what a declarative suite cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom import expect

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.integration


def test_each_category_reads_the_same_alone_and_in_the_list(target: httpx.Client) -> None:
    listed = target.get("/api/trivia/all", timeout=1.5)
    expect(listed).status(200).json("$", length=">= 1")
    first = listed.json()[0]
    alone = target.get(f"/api/trivia/categories/{first['name']}", timeout=1.5)
    expect(alone).status(200).json("$", equals=first)


def test_a_wrong_answer_is_told_from_a_right_one(target: httpx.Client) -> None:
    given = {"question": "numbers-2", "answer": "8"}
    wrong = target.post("/api/trivia/answers", json=given, timeout=1.5)
    right = target.post("/api/trivia/answers", json=given | {"answer": "12"}, timeout=1.5)
    expect(wrong).json("$.correct", equals=False)
    expect(right).json("$.correct", equals=True)
