"""The question data, and the pure functions over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``answer`` is one of ``choices`` and is never sent with the question."""

    id: str
    text: str
    choices: tuple[str, ...]
    answer: str

    def to_json(self) -> dict[str, Any]:
        """Return what players may see."""
        return {"id": self.id, "question": self.text, "choices": list(self.choices)}


CATEGORIES: dict[str, tuple[Question, ...]] = {
    "theatre": (
        Question(
            "theatre-1",
            "Where do performers wait before they go on stage?",
            ("the green room", "the pit", "the wings"),
            "the green room",
        ),
        Question(
            "theatre-2",
            "What does a prompter do?",
            ("whispers forgotten lines", "raises the curtain", "sells tickets"),
            "whispers forgotten lines",
        ),
        Question(
            "theatre-3",
            "Which part of the stage is nearest to the audience?",
            ("upstage", "downstage", "backstage"),
            "downstage",
        ),
    ),
    "rivers": (
        Question(
            "rivers-1",
            "Which river flows through Vienna and Budapest?",
            ("the Rhine", "the Danube", "the Elbe"),
            "the Danube",
        ),
        Question(
            "rivers-2",
            "Into which sea does the Nile flow?",
            ("the Mediterranean Sea", "the Red Sea", "the Arabian Sea"),
            "the Mediterranean Sea",
        ),
        Question(
            "rivers-3",
            "What is the mouth of a river with many arms called?",
            ("a delta", "a fjord", "a lagoon"),
            "a delta",
        ),
    ),
    "elements": (
        Question(
            "elements-1", "Which element has the symbol Fe?", ("iron", "fluorine", "tin"), "iron"
        ),
        Question(
            "elements-2",
            "Which gas makes up most of the air?",
            ("oxygen", "nitrogen", "argon"),
            "nitrogen",
        ),
        Question(
            "elements-3",
            "Which metal is liquid at room temperature?",
            ("mercury", "lead", "zinc"),
            "mercury",
        ),
    ),
    "numbers": (
        Question("numbers-1", "Which of these is a prime?", ("51", "53", "57"), "53"),
        Question("numbers-2", "How many edges has a cube?", ("8", "10", "12"), "12"),
        Question("numbers-3", "What is 2 to the power of 10?", ("512", "1000", "1024"), "1024"),
    ),
}
"""Four categories, by name."""


def category(name: str) -> dict[str, Any] | None:
    """Return one category as JSON, or None if there is none of that name."""
    questions = CATEGORIES.get(name)
    if questions is None:
        return None
    return {"name": name, "questions": [question.to_json() for question in questions]}


def every_category() -> list[dict[str, Any]]:
    """Return all categories as JSON."""
    found = (category(name) for name in CATEGORIES)
    return [item for item in found if item is not None]


def judge(question_id: object, answer: object) -> bool | None:
    """Tell whether ``answer`` is right (case does not matter); None for an unknown question."""
    for questions in CATEGORIES.values():
        for question in questions:
            if question.id == question_id:
                return str(answer).strip().casefold() == question.answer.casefold()
    return None
