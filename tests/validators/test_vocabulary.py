from __future__ import annotations

import pytest

from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict, choose


@pytest.mark.parametrize("value", ["Block", "", "blok", None, 3, ["block"]], ids=repr)
def test_an_unknown_choice_lists_the_valid_ones(value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        choose(Gate, value, "checks.yaml:3: gate")
    assert str(caught.value) == f"checks.yaml:3: gate: unknown value {value!r}"
    assert caught.value.hint == "use one of: block, warn, info"


@pytest.mark.parametrize("kind", Kind)
def test_a_choice_is_found_by_its_name(kind: Kind) -> None:
    assert choose(Kind, kind.value, "kind") is kind


def test_four_kinds_belong_to_the_artifact_and_all_others_to_the_environment() -> None:
    artifact = {kind for kind in Kind if kind.stage is Stage.ARTIFACT}
    assert artifact == {Kind.UNIT, Kind.STATIC, Kind.IMAGE, Kind.TEMPLATE}


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.SHIP, "ship"),
        (Verdict.DO_NOT_SHIP, "do not ship"),
        (Verdict.COULD_NOT_DECIDE, "could not decide"),
    ],
)
def test_a_verdict_reads_as_people_say_it(verdict: Verdict, words: str) -> None:
    assert verdict.words == words


def test_the_outcomes_are_the_four_of_the_record() -> None:
    assert [outcome.value for outcome in Outcome] == ["passed", "failed", "inconclusive", "error"]
