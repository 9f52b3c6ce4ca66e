from __future__ import annotations

import pytest

from greenroom.validators.evidence import Evidence, proves, told

AT = "2026-11-23T10:00:00+00:00"


def test_less_than_nothing_cannot_be_evidence() -> None:
    with pytest.raises(ValueError, match="cannot count -1 requests"):
        Evidence("requests", -1, "httpx", "0.28.1", AT)


@pytest.mark.parametrize(
    ("tool", "version", "text"),
    [
        ("httpx", "0.28.1", "5,000 requests (httpx 0.28.1)"),
        ("httpx", "", "5,000 requests (httpx)"),
        ("", "", "5,000 requests"),
    ],
    ids=["tool-and-version", "no-version", "no-tool"],
)
def test_evidence_says_how_much_of_what_by_which_tool(tool: str, version: str, text: str) -> None:
    assert str(Evidence("requests", 5000, tool, version, AT)) == text


def test_evidence_written_and_read_is_the_same() -> None:
    evidence = Evidence("packages", 412, "trivy", "0.76.0", AT)
    assert Evidence.from_json(evidence.to_json()) == evidence


@pytest.mark.parametrize("key", ["what", "amount", "tool", "version", "at"])
def test_every_part_of_evidence_must_be_recorded(key: str) -> None:
    data = Evidence("packages", 412, "trivy", "0.76.0", AT).to_json()
    del data[key]
    with pytest.raises(KeyError, match=key):
        Evidence.from_json(data)


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (0, "none"),
        (5, "1 a0 (t), 1 a1 (t), 1 a2 (t), 1 a3 (t), 1 a4 (t)"),
        (35, "1 a0 (t), 1 a1 (t), 1 a2 (t), 1 a3 (t), 1 a4 (t), and 30 more"),
    ],
    ids=["none", "at-the-limit", "over"],
)
def test_of_many_kinds_of_evidence_a_message_names_the_first(kinds: int, shown: str) -> None:
    assert told(tuple(Evidence(f"a{at}", 1, "t", "", AT) for at in range(kinds))) == shown


def test_only_an_amount_proves_anything() -> None:
    nothing, one = Evidence("rows", 0, "t", "1", AT), Evidence("rows", 1, "t", "1", AT)
    assert proves((nothing, one))
    assert not proves((nothing,))
    assert not proves(())
