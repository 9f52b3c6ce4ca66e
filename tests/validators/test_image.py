"""The judgement of what Trivy saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from greenroom.validators.image import (
    Canary,
    Database,
    ImageFacts,
    ImagePolicy,
    OperatingSystem,
    Scan,
    Scanner,
    judge_image,
)
from greenroom.validators.result import Level, Package, Result, Severity, State, fingerprint_of
from greenroom.validators.result_waiver import ResultWaiver
from greenroom.validators.vocabulary import Outcome

TODAY = date(2026, 6, 1)
DEBIAN = OperatingSystem("debian", "12.5")
FLAW = Result(
    "CVE-1", "a flaw", Level.ERROR, Severity.CRITICAL, "trivy",
    package=Package("openssl", "3.0.1", "3.0.9"), fingerprint=fingerprint_of("CVE-1"),
)  # fmt: skip
GPL = Result("GPL-3.0", "licence", Level.ERROR, Severity.HIGH, "trivy", package=Package("x", ""))
SECRET = Result(
    "aws-key", "a key", Level.ERROR, Severity.CRITICAL, "trivy", fingerprint=fingerprint_of("a")
)
SCAN = Scan("linux/amd64", DEBIAN, 1, ((Scanner.VULN, "packages", 5),), os_packages=5)
FACTS = ImageFacts(
    subject="app:1",
    digest="sha256:1",
    digest_after="sha256:1",
    scans=(SCAN,),
    image=True,
    needs_os=True,
    version="0.76.0",
    at="2026-06-01T00:00:00+00:00",
    database=Database("2", "2026-05-31T00:00:00+00:00", "a mirror"),
    canary=Canary(3),
)
POLICY = ImagePolicy(TODAY)


def with_scan(scan: Scan) -> ImageFacts:
    return replace(FACTS, scans=(scan,))


@pytest.mark.parametrize(
    ("facts", "outcome", "seen"),
    [
        (replace(FACTS, scans=()), Outcome.INCONCLUSIVE, "nothing was scanned"),
        (with_scan(replace(SCAN, layers=0)), Outcome.INCONCLUSIVE, "no layers"),
        (
            with_scan(replace(SCAN, amounts=((Scanner.VULN, "packages", 0),))),
            Outcome.INCONCLUSIVE,
            "no packages",
        ),
        (with_scan(replace(SCAN, os=None)), Outcome.ERROR, "not recognised"),
        (with_scan(replace(SCAN, os_packages=0)), Outcome.ERROR, "none could be read"),
        (replace(FACTS, canary=Canary(0)), Outcome.ERROR, "0 found"),
        (replace(FACTS, canary=Canary(2, ("npm",))), Outcome.ERROR, "finds nothing for npm"),
        (replace(FACTS, digest_after="sha256:2"), Outcome.FAILED, "sha256:2"),
        (
            with_scan(replace(SCAN, os=OperatingSystem("alpine", "3.9", end_of_life=True))),
            Outcome.FAILED,
            "end of life",
        ),
        (with_scan(replace(SCAN, results=(FLAW,))), Outcome.FAILED, "critical 1"),
    ],
    ids=[
        "no-scan", "no-layers", "no-packages", "no-os", "no-os-packages", "no-canary", "blind",
        "moved", "old", "bad",
    ],
)  # fmt: skip
def test_never_a_pass(facts: ImageFacts, outcome: Outcome, seen: str) -> None:
    finding = judge_image(facts, POLICY)
    assert finding.outcome is outcome
    assert seen in finding.seen


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        (replace(FACTS, canary=Canary(0)), "fetch the whole database"),
        (with_scan(replace(SCAN, os=None)), "os: none"),
        (replace(FACTS, digest_after="sha256:2"), "by its digest"),
        (replace(FACTS, digest_after="sha256:2", canary=Canary(0)), "by its digest"),
        (with_scan(replace(SCAN, licenses=(GPL,))), "take its licence out"),
        (
            with_scan(replace(SCAN, results=(replace(FLAW, severity=Severity.LOW), SECRET))),
            "correct each",
        ),
        (
            replace(with_scan(replace(SCAN, results=(FLAW,))), canary=Canary(0)),
            "update the packages",
        ),
    ],
    ids=[
        "no-canary",
        "no-os",
        "moved",
        "moved-and-no-canary",
        "licence",
        "secret-first",
        "bad-and-no-canary",
    ],
)
def test_the_advice_is_for_what_was_missed(facts: ImageFacts, advice: str) -> None:
    policy = replace(POLICY, deny_licenses=("GPL-*",))
    assert advice in judge_image(facts, policy).advice


def test_packages_without_a_flaw_pass_on_evidence() -> None:
    finding = judge_image(FACTS, POLICY)
    assert finding.outcome is Outcome.PASSED
    assert [(item.what.split(" of ")[0], item.amount) for item in finding.evidence] == [
        ("packages", 5),
        ("vulnerability database", 1),
        ("vulnerabilities", 3),
    ]


def test_a_bundle_needs_no_operating_system() -> None:
    facts = replace(with_scan(replace(SCAN, os=None, layers=0)), image=False, needs_os=False)
    assert judge_image(facts, POLICY).outcome is Outcome.PASSED


def test_an_ecosystem_may_be_named_that_has_no_canary() -> None:
    facts = replace(FACTS, canary=Canary(0, ("conda-pkg",)))
    assert judge_image(facts, replace(POLICY, unproven=("conda-pkg",))).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("facts", "policy"),
    [
        (FACTS, replace(POLICY, unproven=("debian 12.5",))),
        (replace(FACTS, needs_os=False), POLICY),
    ],
    ids=["unproven", "os-none"],
)
def test_a_system_without_packages_is_accepted_where_that_is_said(
    facts: ImageFacts, policy: ImagePolicy
) -> None:
    bare = replace(facts, scans=(replace(SCAN, os_packages=0),))
    assert judge_image(bare, policy).outcome is Outcome.PASSED


def test_a_flaw_of_two_platforms_is_told_once() -> None:
    scan = replace(SCAN, results=(FLAW,))
    finding = judge_image(replace(FACTS, scans=(scan, replace(scan, platform="x/y"))), POLICY)
    assert [result.message for result in finding.results] == ["a flaw [linux/amd64, x/y]"]


def test_a_waiver_that_ended_is_told_and_does_not_count() -> None:
    facts = with_scan(replace(SCAN, results=(FLAW,)))
    waiver = ResultWaiver("CVE-1", "not reachable", date(2026, 5, 31), where="waivers.yaml:3")
    finding = judge_image(facts, replace(POLICY, waivers=(waiver,)))
    assert finding.outcome is Outcome.FAILED
    assert finding.notes == ("expired waiver: CVE-1 until 2026-05-31 (waivers.yaml:3)",)


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (replace(POLICY, known=frozenset({FLAW.fingerprint})), State.KNOWN),
        (replace(POLICY, waivers=(ResultWaiver("CVE-*", "a test", TODAY),)), State.WAIVED),
    ],
    ids=["known", "waived"],
)
def test_what_is_accepted_does_not_count_unless_it_is_never_to_be(
    policy: ImagePolicy, state: State
) -> None:
    facts = with_scan(replace(SCAN, results=(FLAW,)))
    accepted, never = (
        judge_image(facts, policy),
        judge_image(facts, replace(policy, never=("CVE-1",))),
    )
    assert (accepted.outcome, accepted.results[0].state) == (Outcome.PASSED, state)
    assert never.outcome is Outcome.FAILED
    assert "never CVE-1 openssl 3.0.1" in never.seen


def test_an_id_is_named_whatever_its_case() -> None:
    facts = with_scan(replace(SCAN, results=(FLAW,), licenses=(GPL,)))
    never = replace(POLICY, limits=(), never=("cve-1",))
    assert judge_image(facts, never).outcome is Outcome.FAILED
    denied = replace(POLICY, limits=(), deny_licenses=("gpl-*",))
    assert judge_image(facts, denied).outcome is Outcome.FAILED


def test_a_denied_licence_fails_whatever_its_severity() -> None:
    facts = with_scan(replace(SCAN, licenses=(GPL,)))
    finding = judge_image(facts, replace(POLICY, deny_licenses=("GPL-*",)))
    assert (finding.outcome, finding.seen) == (Outcome.FAILED, "licenses GPL-3.0 (x)")
    assert judge_image(facts, POLICY).outcome is Outcome.PASSED
