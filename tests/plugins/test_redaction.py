from __future__ import annotations

import base64
import html
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenroom.plugins.redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "p4ss/w+rd=ü \"x\\y'"  # noqa: S105 - planted
FORMS = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent-lower": lambda text: quote(text, safe="").lower(),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json-unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json-in-json": lambda text: json.dumps(json.dumps(text)),
    "python": repr,
    "html": html.escape,
    "hex": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-user": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(f"ab{text}cd".encode()).decode(),
}
secrets = st.text(min_size=6, max_size=24).filter(
    lambda text: text.strip() and text not in REDACTED
)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_secret_is_found_in_every_form_it_travels_in(form: Callable[[str], str]) -> None:
    written = form(SECRET)
    shown = Redactor([SECRET]).text(f"before {written} after")
    assert REDACTED in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert SECRET[2:-2] not in shown
    assert written[4:-6] not in shown


@given(secret=secrets, before=st.text(max_size=9), after=st.text(max_size=9))
def test_a_planted_secret_appears_nowhere_in_a_text(secret: str, before: str, after: str) -> None:
    shown = Redactor([secret]).text(f"{before}{secret}{after}")
    assume(secret not in before + REDACTED and secret not in REDACTED + after)
    assert secret not in shown


@given(
    secret=secrets,
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=8,
    ),
)
def test_a_planted_secret_appears_nowhere_in_a_json_value(secret: str, value: object) -> None:
    planted = {"a": [value, f"x{secret}y"], f"<{secret}>": {"deep": [secret]}}
    shown = Redactor([secret]).value(planted)
    assert secret not in json.dumps(shown, ensure_ascii=False)
    assert json.dumps(secret)[1:-1] not in json.dumps(shown)


@given(secret=secrets, limit=st.integers(1, 40), lead=st.integers(0, 40))
def test_cutting_never_leaves_the_beginning_of_a_secret(secret: str, limit: int, lead: int) -> None:
    assume("." not in secret)
    shown = Redactor([secret]).excerpt("." * lead + secret + "." * 20, limit)
    assert set(shown) <= set("." + REDACTED)
    assert len(shown) <= limit


def test_a_text_that_broke_off_within_a_secret_loses_that_end() -> None:
    shown = Redactor(["correct-horse"]).excerpt("key: correct-ho", 100, whole=False)
    assert shown == f"key: {REDACTED}"


def test_a_text_that_broke_off_elsewhere_stays_whole() -> None:
    assert Redactor(["correct-horse"]).excerpt("key: cor", 100, whole=False) == "key: cor"


def test_a_number_that_is_a_secret_is_redacted_and_others_stay() -> None:
    shown = Redactor(["123456"]).value({"pin": 123456, "n": 7, "ok": True, "none": None})
    assert shown == {"pin": REDACTED, "n": 7, "ok": True, "none": None}


def test_the_longest_secret_wins_over_one_it_contains() -> None:
    assert Redactor(["abc", "abcdef"]).text("abcdef abc") == f"{REDACTED} {REDACTED}"


def test_a_secret_is_also_found_without_the_blanks_around_it() -> None:
    assert Redactor(["token-1\n"]).text("<token-1>") == f"<{REDACTED}>"


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_secret_redacts_nothing(empty: str) -> None:
    assert Redactor([empty]).text("a b\nc") == "a b\nc"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "SET-COOKIE",
        "X-Api-Key",
        "X-Amz-Security-Token",
    ],
)
def test_a_sensitive_header_is_redacted_whatever_its_value(name: str) -> None:
    assert Redactor().headers([(name, "v")]) == [[name, REDACTED]]


def test_another_header_loses_only_the_secret() -> None:
    assert Redactor(["s3cret"]).headers([("X-Trace", "a s3cret b")]) == [
        ["X-Trace", f"a {REDACTED} b"]
    ]


def test_an_address_loses_its_user_and_its_sensitive_parameters() -> None:
    shown = Redactor(["s3cret"]).url("https://u:p@h/s3cret?token=abc&page=2&X-Amz-Signature=f0")
    assert (
        shown
        == f"https://{REDACTED}@h/{REDACTED}?token={REDACTED}&page=2&X-Amz-Signature={REDACTED}"
    )


def test_a_form_that_is_hidden_is_redacted_without_being_known() -> None:
    redactor = Redactor()
    redactor.hide(r"(?<=key=)[0-9]+")
    assert redactor.active
    assert redactor.text("key=123 x=123") == f"key={REDACTED} x=123"
    redactor.add("x=1")
    assert redactor.text("key=123 x=123") == f"key={REDACTED} {REDACTED}23"


def test_threads_that_learn_secrets_lose_none_and_break_nobody() -> None:
    redactor = Redactor()
    secrets = [f"secret-{number:03}" for number in range(9)]

    def learn(secret: str) -> str:
        redactor.add(secret)
        return redactor.text(f"<{secret}>")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(learn, secrets)) == {f"<{REDACTED}>"}
    assert "secret" not in redactor.text(" ".join(secrets))
