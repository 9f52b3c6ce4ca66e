from __future__ import annotations

import pytest

from greenroom.validators.words import few


@pytest.mark.parametrize(
    ("amount", "between", "said"),
    [
        (0, ", ", ""),
        (2, ", ", "a, a"),
        (3, ", ", "a, a and 1 more"),
        (1002, "; ", "a; a; and 1,000 more"),
    ],
    ids=["none", "at-the-limit", "over", "with-commas"],
)
def test_of_many_texts_a_few_are_shown(amount: int, between: str, said: str) -> None:
    assert few(["a"] * amount, 2, between=between) == said
