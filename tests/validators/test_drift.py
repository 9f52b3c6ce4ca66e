from __future__ import annotations

import pytest

from greenroom.validators.drift import Exercised, drift_of

LIST = Exercised("api/pets.yaml", "GET /pets", "200", ("$[*].tag", "$[*].id"))


@pytest.mark.parametrize(
    "one",
    [LIST, Exercised("a b.yaml", "DELETE /pets/{id}", "2XX"), Exercised("a", "GET /", "200", ())],
    ids=["fields", "no-json", "all-fields"],
)
def test_what_was_exercised_survives_as_a_note(one: Exercised) -> None:
    assert Exercised.from_note(str(one)) == one
    assert Exercised.from_note(f"setup 1 (POST /x): {one}") == one


@pytest.mark.parametrize(
    "note", ["asked 3 times in 1 s", "openapi is meant", f"{LIST} and more", ""]
)
def test_another_note_is_none(note: str) -> None:
    assert Exercised.from_note(note) is None


def test_a_note_with_a_redacted_secret_names_no_fields() -> None:
    found = Exercised.from_note(str(LIST).replace('"$[*].tag"', "[REDACTED"))
    assert found == Exercised("api/pets.yaml", "GET /pets", "200")


def test_an_answer_that_lacks_very_many_fields_calls_none_absent() -> None:
    many = Exercised("a", "GET /", "200", tuple(f"$.f{at}" for at in range(101)))
    assert Exercised.from_note(str(many)) == Exercised("a", "GET /", "200")


def test_drift_is_what_no_answer_showed() -> None:
    other = Exercised("api/pets.yaml", "GET /pets", "200", ("$[*].id",))
    elsewhere = Exercised("b.yaml", "POST /pets", "201", ())
    drift = drift_of("api/pets.yaml", ["GET /pets", "POST /pets"], [LIST, other, elsewhere])
    assert drift.to_json() == {
        "document": "api/pets.yaml",
        "operations": 2,
        "never_exercised": ["POST /pets"],
        "never_seen": ["GET /pets 200 $[*].id"],
    }


def test_an_answer_without_known_fields_hides_no_drift_and_claims_none() -> None:
    drift = drift_of("d", ["GET /"], [Exercised("d", "GET /", "200")])
    assert (drift.unexercised, drift.unseen) == ((), ())


def test_drift_has_the_documents_order_whatever_was_asked_first() -> None:
    seen = [
        Exercised("d", "POST /b", "201", ("$.z",)),
        Exercised("d", "GET /a", "404", ("$.y",)),
        Exercised("d", "GET /a", "200", ("$.x", "$.w")),
    ]
    drift = drift_of("d", ["GET /a", "POST /b"], seen)
    assert drift == drift_of("d", ["GET /a", "POST /b"], seen[::-1])
    assert drift.unseen == ("GET /a 200 $.x", "GET /a 200 $.w", "GET /a 404 $.y", "POST /b 201 $.z")
