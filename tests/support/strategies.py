"""Hypothesis strategies for the core's facts: any of them, odd texts included."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.record import Check, RunRecord, Source
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage
from greenroom.validators.waiver import Waiver

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
seconds = st.integers(0, 10**9).map(lambda micro: round(micro / 1e6, 6))
plain = st.dictionaries(texts, texts, max_size=2)
things: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    texts, st.one_of(st.none(), st.booleans(), st.integers(), texts), max_size=2
)

evidences = st.builds(Evidence, texts, st.integers(0, 5), texts, texts, texts)
proofs = st.lists(evidences, max_size=2).map(tuple)
rules = st.builds(Rule, texts, texts, texts, st.sampled_from([True, False, None]))
judged = st.builds(Finding.judged, st.lists(rules, max_size=3).map(tuple), proofs, advice=texts)
told = st.builds(
    Finding,
    st.sampled_from([Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR]),
    texts,
    texts,
    proofs,
)
proved = st.builds(
    Finding, st.just(Outcome.PASSED), texts, texts, st.tuples(evidences.filter(lambda e: e.amount))
)
findings = st.one_of(proved, judged, told)

waivers = st.builds(
    Waiver, texts.filter(str.strip), texts.filter(str.strip), st.dates(min_value=date(2000, 1, 1))
)
checks = st.builds(
    Check,
    id=st.sampled_from(["a", "b", "c"]),
    name=texts,
    kind=st.sampled_from(Kind),
    stage=st.sampled_from(Stage),
    gate=st.sampled_from(Gate),
    finding=findings,
    duration_s=seconds,
    source=st.builds(Source, texts, st.integers(1, 999)),
    tags=st.lists(texts, max_size=2).map(tuple),
    skipped=st.one_of(st.none(), st.none(), texts),
    waiver=st.one_of(st.none(), st.none(), waivers),
    exchanges=st.lists(things, max_size=1).map(tuple),
    log=texts,
    worker=texts,
)
minimums = st.integers(0, 2)
expectations = st.builds(
    Expected,
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(Kind), minimums, max_size=1),
    st.dictionaries(st.sampled_from(Stage), minimums, max_size=1),
)
records = st.builds(
    RunRecord,
    run_id=texts,
    started=texts,
    expected=expectations,
    checks=st.lists(checks, max_size=3).map(tuple),
    problems=st.one_of(st.just(()), st.just(()), st.lists(texts, max_size=2).map(tuple)),
    complete=st.sampled_from([True, True, False]),
    finished=texts,
    duration_s=seconds,
    release=plain,
    environment=things,
    deployment=st.one_of(st.none(), things),
    reported=st.one_of(st.none(), things),
)
