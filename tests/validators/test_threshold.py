from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenroom.validators import threshold as module
from greenroom.validators.errors import SettingsError
from greenroom.validators.threshold import Dimension, Metric, parse_threshold, show, units_of

TIME, RATIO, SIZE, COUNT = Dimension.TIME, Dimension.RATIO, Dimension.SIZE, Dimension.COUNT


@pytest.mark.parametrize(
    ("text", "metric", "operator", "limit", "dimension"),
    [
        ("p95 < 300ms", "p95", "<", 0.3, TIME),
        ("p99.9<=2s", "p99.9", "<=", 2.0, TIME),
        ("  mean  <  150 us  ", "mean", "<", 0.00015, TIME),
        ("error_rate < 1%", "error_rate", "<", 0.01, RATIO),
        ("error_rate == 7%", "error_rate", "==", 0.07, RATIO),
        ("requests >= 5_000", "requests", ">=", 5000.0, COUNT),
        ("drift > -0.5", "drift", ">", -0.5, COUNT),
        ("critical != -0", "critical", "!=", 0.0, COUNT),
        ("body < 10B", "body", "<", 10.0, SIZE),
        ("body < 1.5KiB", "body", "<", 1536.0, SIZE),
        ("body < 2MiB", "body", "<", 2097152.0, SIZE),
    ],
    ids=str,
)
def test_the_grammar(
    text: str, metric: str, operator: str, limit: float, dimension: Dimension
) -> None:
    parsed = parse_threshold(text)
    assert (parsed.metric, parsed.operator, parsed.limit) == (metric, operator, limit)
    assert parsed.dimension is dimension


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p95",
        "p95 300ms",
        "< 300ms",
        "p95 = 300ms",
        "p95 =< 300ms",
        "p95 < ms",
        "p95 < 1e3",
        "p95 < .5s",
        "p95 < 5_",
        "p95 < 5__0",
        "p95 < 1,5s",
        "p95 < nan",
        "9p < 3",
        "p95 < 3 ms s",
        "p95 < 3; x < 4",
        "p95 < \u0663",
    ],
)
def test_what_the_grammar_does_not_know_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SettingsError, match="expected METRIC OPERATOR LIMIT") as caught:
        parse_threshold(text)
    assert "p95 < 300ms" in caught.value.hint


@pytest.mark.parametrize("unit", ["m", "S", "MS", "kb", "KB", "GiB", "%%", "percent"])
def test_an_unknown_unit_lists_the_known_ones(unit: str) -> None:
    with pytest.raises(SettingsError, match="unknown unit") as caught:
        parse_threshold(f"p95 < 3{unit}")
    assert caught.value.hint == "units: us, ms, s, %, B, KiB, MiB"


def test_a_limit_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(SettingsError, match="too large"):
        parse_threshold("requests < 1" + "0" * 400)


def test_an_unknown_metric_lists_the_known_ones() -> None:
    metrics = {"p95": Metric(0.2, TIME, 10), "p50": Metric(0.1, TIME, 10)}
    with pytest.raises(SettingsError, match="unknown metric 'p59'") as caught:
        parse_threshold("p59 < 300ms").judge(metrics)
    assert caught.value.hint == "known metrics: p50, p95"


def test_an_unknown_metric_among_none_says_so() -> None:
    with pytest.raises(SettingsError, match="unknown metric") as caught:
        parse_threshold("p95 < 300ms").judge({})
    assert caught.value.hint == "known metrics: none"


@pytest.mark.parametrize(
    ("text", "dimension", "hint"),
    [
        ("x < 300", TIME, "give its limit in: us, ms, s"),
        ("x < 300ms", RATIO, "give its limit in: %"),
        ("x < 1", SIZE, "give its limit in: B, KiB, MiB"),
        ("x < 1%", COUNT, "give its limit in: a plain number"),
    ],
    ids=str,
)
def test_a_limit_must_be_in_the_metrics_own_unit(
    text: str, dimension: Dimension, hint: str
) -> None:
    with pytest.raises(SettingsError, match=f"x is a {dimension.value}") as caught:
        parse_threshold(text).judge({"x": Metric(1, dimension, 5)})
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("value", "samples", "observed"),
    [
        (0.0, 0, "no samples"),
        (0.1, -1, "no samples"),
        (float("nan"), 5, "no finite number: nan"),
        (float("inf"), 5, "no finite number: inf"),
        (float("-inf"), 5, "no finite number: -inf"),
    ],
    ids=str,
)
@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_no_data_is_neither_met_nor_missed(
    value: float, samples: int, observed: str, operator: str
) -> None:
    rule = parse_threshold(f"p95 {operator} 300ms").judge({"p95": Metric(value, TIME, samples)})
    assert rule.met is None
    assert rule.observed == observed


@pytest.mark.parametrize(
    ("operator", "under", "at", "over"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_each_operator_under_at_and_over_the_limit(
    operator: str, *, under: bool, at: bool, over: bool
) -> None:
    threshold = parse_threshold(f"critical {operator} 5")
    met = [threshold.judge({"critical": Metric(n, COUNT, 1)}).met for n in (4, 5, 6)]
    assert met == [under, at, over]


@given(st.integers(0, 100))
def test_a_percentage_equals_the_share_it_stands_for(percent: int) -> None:
    threshold = parse_threshold(f"error_rate == {percent}%")
    assert threshold.judge({"error_rate": Metric(percent / 100, RATIO, 100)}).met


@pytest.mark.parametrize(
    ("text", "value", "limit", "observed"),
    [
        ("p95 < 300ms", 0.292, "< 300 ms", "292 ms"),
        ("p95 < 300ms", 0.3, "< 300 ms", "300 ms"),
        ("p95 < 300ms", 0.3000001, "< 300 ms", "300.0001 ms"),
        ("p95 < 300ms", 0.29999999, "< 300 ms", "299.99999 ms"),
        ("p95 < 300ms", math.nextafter(0.3, 1), "< 300 ms", "300.00000000000006 ms"),
        ("p95 < 300.48ms", 0.30046, "< 300.48 ms", "300.46 ms"),
        ("p95 < 12345.6ms", 12.3457, "< 12,345.6 ms", "12,346 ms"),
        ("p95 < 7s", 0.0000123456, "< 7 s", "0.00001235 s"),
    ],
    ids=str,
)
def test_what_is_shown_stands_on_its_own_side_of_the_limit(
    text: str, value: float, limit: str, observed: str
) -> None:
    rule = parse_threshold(text).judge({"p95": Metric(value, TIME, 5000)})
    assert (rule.limit, rule.observed) == (limit, f"{observed} (n=5,000)")


@given(st.integers(1, 10**6), st.floats(0, 2e6))
def test_a_miss_never_reads_like_a_hit(limit: int, value: float) -> None:
    rule = parse_threshold(f"count <= {limit}").judge({"count": Metric(value, COUNT, 1)})
    shown = float(rule.observed.partition(" ")[0].replace(",", ""))
    assert (shown <= limit) is rule.met


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "ms", "0 ms"),
        (-0.0, "", "0"),
        (1234567.0, "", "1,234,567"),
        (0.07, "%", "7 %"),
        (1536.0, "KiB", "1.5 KiB"),
        (1 / 3, "", "0.3333"),
        (-2.5, "s", "-2.5 s"),
    ],
    ids=str,
)
def test_numbers_are_written_for_a_reader(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


numbers = st.integers(-(10**9), 10**9)


@given(numbers, numbers, st.floats(-1e9, 1e9), st.sampled_from(["<", "<=", ">", ">="]))
def test_a_looser_limit_never_turns_a_pass_into_a_failure(
    one: int, other: int, value: float, operator: str
) -> None:
    tight, loose = sorted([one, other], reverse=operator.startswith(">"))
    metrics = {"x": Metric(value, COUNT, 1)}
    assume(parse_threshold(f"x {operator} {tight}").judge(metrics).met)
    assert parse_threshold(f"x {operator} {loose}").judge(metrics).met


def test_every_dimension_has_its_units() -> None:
    assert {dimension: units_of(dimension) for dimension in Dimension} == {
        TIME: ("us", "ms", "s"),
        RATIO: ("%",),
        SIZE: ("B", "KiB", "MiB"),
        COUNT: ("",),
    }


def test_a_threshold_reads_as_it_was_written() -> None:
    assert str(parse_threshold("p95<300ms")) == "p95 < 300 ms"


def test_the_documented_example_is_true() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
