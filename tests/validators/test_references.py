"""Judging image references: what is immutable, what moved, and what cannot be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.validators.evidence import Evidence
from greenroom.validators.references import ImageUse, Policy, References, Seen, judge_references
from greenroom.validators.result import Location
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from greenroom.validators.finding import Finding

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
BUILDS = Policy(immutable=("*:build-[0-9]*", r"/registry\.test/app:[0-9a-f]{7}/"))


def judged(
    text: str, policy: Policy = BUILDS, seen: Seen | None = None, undecided: str = ""
) -> Finding:
    use = ImageUse(text, Location("task.json", 3, 5), undecided)
    facts = References((use,), (), {text: seen} if seen else {})
    return judge_references(facts, policy, (Evidence("image references", 1, "greenroom", "", ""),))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("app", "reference-no-tag"),
        ("registry.test:5000/app", "reference-no-tag"),
        ("app:latest", "reference-latest"),
        ("${Registry}/app:latest", "reference-latest"),
        ("app:1.2.3", "reference-mutable"),
        ("registry.test/app:abcdefg", "reference-mutable"),
        ("registry.test/app:abcdef00", "reference-mutable"),
        ("App:1", "reference-invalid"),
        (f"app@{A}0", "reference-invalid"),
    ],
)
def test_what_can_mean_another_image_fails(text: str, rule: str) -> None:
    finding = judged(text)

    assert finding.outcome is Outcome.FAILED
    assert [result.id for result in finding.results] == [rule]
    assert str(finding.results[0].location) == "task.json:3:5"


def test_latest_is_never_covered_by_a_pattern() -> None:
    assert judged("app:latest", Policy(immutable=("*:*",))).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "text", ["${Image}", "app:${Tag}", "registry.test/${Name}", f"app@sha256:{'a' * 60}${{Rest}}"]
)
def test_a_hole_where_it_matters_cannot_be_decided(text: str) -> None:
    finding = judged(text)

    assert finding.outcome is Outcome.ERROR
    assert "has no value here" in str(finding)


@pytest.mark.parametrize(
    "text",
    [
        f"app@{A}",
        f"app:latest@{A}",
        f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.amazonaws.com/app@{A}",
        "app:build-17",
        "${Registry}/app:build-17",
        "registry.test/app:0a1b2c3",
    ],
)
def test_what_is_immutable_passes(text: str) -> None:
    assert judged(text).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("text", "recorded", "now", "rule"),
    [
        pytest.param("app:build-1", A, B, "reference-moved", id="moved"),
        pytest.param(f"app:build-1@{A}", B, "", "reference-disagrees", id="not-what-was-built"),
        pytest.param(f"app:build-1@{A}", "", B, "reference-disagrees", id="tag-means-another"),
        pytest.param(f"app:build-1@{A}", A, B, "reference-moved", id="moved-since"),
    ],
)
def test_a_tag_that_means_another_image_fails(
    text: str, recorded: str, now: str, rule: str
) -> None:
    recordings = {"docker.io/library/app:build-1": recorded} if recorded else {}

    finding = judged(text, Policy(("*:build-*",), recordings), Seen(digest=now))

    assert [result.id for result in finding.results] == [rule]
    assert finding.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("digest", "outcome"), [(A, Outcome.PASSED), (B, Outcome.FAILED)], ids=["built", "another"]
)
def test_a_digest_without_a_tag_is_one_that_was_recorded(digest: str, outcome: Outcome) -> None:
    policy = Policy((), {"registry.test:5000/app:build-1": A, "registry.test:5000/other:1": B})

    assert judged(f"registry.test:5000/app@{digest}", policy).outcome is outcome


def test_a_tag_that_means_what_was_recorded_passes() -> None:
    policy = Policy(("*:build-*",), {"docker.io/library/app:build-1": A})

    assert judged("app:build-1", policy, Seen(digest=A)).outcome is Outcome.PASSED


def test_a_repository_that_lets_tags_move_is_no_ground_for_trust() -> None:
    assert judged("app:build-1", seen=Seen(mutable=True)).outcome is Outcome.FAILED
    assert judged("app:build-1", seen=Seen(mutable=False)).outcome is Outcome.PASSED
    assert judged(f"app@{A}", seen=Seen(mutable=True)).outcome is Outcome.PASSED


def test_a_registry_that_did_not_answer_is_an_error() -> None:
    finding = judged(f"app:1@{A}", seen=Seen(failed="the registry could not be reached"))

    assert finding.outcome is Outcome.ERROR
    assert "could not be reached" in str(finding)


def test_a_file_without_an_image_is_inconclusive_beside_one_with() -> None:
    use = ImageUse(f"app@{A}", Location("task.json", 3))
    proof = (Evidence("image references", 1, "greenroom", "", ""),)

    finding = judge_references(References((use,), ("empty.yaml",), {}), Policy(), proof)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.seen == "none in empty.yaml"


def test_a_mutable_image_beside_an_empty_file_is_told_on_evidence() -> None:
    use = ImageUse("app:1", Location("compose.yaml", 3))
    proof = (Evidence("image references", 1, "greenroom", "", ""),)
    finding = judge_references(References((use,), ("empty.yaml",), {}), Policy(), proof)
    assert (finding.outcome, finding.evidence) == (Outcome.FAILED, proof)


def test_a_recorded_digest_that_was_compared_with_nothing_is_an_error() -> None:
    policy = Policy(("*:build-*",), {"docker.io/library/app:build-1": A})

    finding = judged("app:build-1", policy)

    assert finding.outcome is Outcome.ERROR
    assert "was not asked" in str(finding)
