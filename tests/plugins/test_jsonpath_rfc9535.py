"""The tables of RFC 9535, through the path that a suite's expectation takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.suites import check, refusal, with_check

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

REES = {"category": "reference", "author": "Nigel Rees", "price": 8.95}
WAUGH = {"category": "fiction", "author": "Evelyn Waugh", "price": 12.99}
MELVILLE = {"author": "Herman Melville", "isbn": "0-553-21311-3", "price": 8.99}
TOLKIEN = {"author": "J. R. R. Tolkien", "isbn": "0-395-19395-8", "price": 22.99}
BOOKS = [REES, WAUGH, MELVILLE, TOLKIEN]
BICYCLE = {"color": "red", "price": 399}
STORE = {"store": {"book": BOOKS, "bicycle": BICYCLE}}
QUOTES = {"o": {"j j": {"k.k": 3}}, "'": {"@": 2}}
LETTERS = ["a", "b", "c", "d", "e", "f", "g"]
WILD = {"o": {"j": 1, "k": 2}, "a": [5, 3]}
NULLS: dict[str, Any] = {"a": None, "b": [None], "c": [{}], "null": 1}
DEEP = {"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]}
FILTERED: dict[str, Any] = {
    "a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
    "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}},
    "e": "f",
}
EXAMPLES: list[tuple[Any, str, list[Any]]] = [
    # 1.5, table 2
    (STORE, "$.store.book[*].author", [book["author"] for book in BOOKS]),
    (STORE, "$..author", [book["author"] for book in BOOKS]),
    (STORE, "$.store.*", [BOOKS, BICYCLE]),
    (STORE, "$.store..price", [8.95, 12.99, 8.99, 22.99, 399]),
    (STORE, "$..book[2]", [MELVILLE]),
    (STORE, "$..book[2].author", ["Herman Melville"]),
    (STORE, "$..book[2].publisher", []),
    (STORE, "$..book[-1]", [TOLKIEN]),
    (STORE, "$..book[0,1]", [REES, WAUGH]),
    (STORE, "$..book[:2]", [REES, WAUGH]),
    (STORE, "$..book[?@.isbn]", [MELVILLE, TOLKIEN]),
    (STORE, "$..book[?@.price<10]", [REES, MELVILLE]),
    # 2.2.3 root, 2.3.1.3 names
    ({"k": "v"}, "$", [{"k": "v"}]),
    (QUOTES, "$.o['j j']", [{"k.k": 3}]),
    (QUOTES, "$.o['j j']['k.k']", [3]),
    (QUOTES, '$.o["j j"]["k.k"]', [3]),
    (QUOTES, '$["\'"]["@"]', [2]),
    # 2.3.2.3 wildcards
    (WILD, "$[*]", [{"j": 1, "k": 2}, [5, 3]]),
    (WILD, "$.o[*]", [1, 2]),
    (WILD, "$.o[*, *]", [1, 2, 1, 2]),
    (WILD, "$.a[*]", [5, 3]),
    # 2.3.3.3 indexes
    (["a", "b"], "$[1]", ["b"]),
    (["a", "b"], "$[-2]", ["a"]),
    (["a", "b"], "$[2]", []),
    # 2.3.4.3 slices
    (LETTERS, "$[1:3]", ["b", "c"]),
    (LETTERS, "$[5:]", ["f", "g"]),
    (LETTERS, "$[1:5:2]", ["b", "d"]),
    (LETTERS, "$[5:1:-2]", ["f", "d"]),
    (LETTERS, "$[::-1]", LETTERS[::-1]),
    (LETTERS, "$[::0]", []),
    # 2.3.5.3 filters
    (FILTERED, "$.a[?@.b == 'kilo']", [{"b": "kilo"}]),
    (FILTERED, "$.a[?(@.b == 'kilo')]", [{"b": "kilo"}]),
    (FILTERED, "$.a[?@>3.5]", [5, 4, 6]),
    (FILTERED, "$.a[?@.b]", FILTERED["a"][6:]),
    (FILTERED, "$[?@.*]", [FILTERED["a"], FILTERED["o"]]),
    (FILTERED, "$[?@[?@.b]]", [FILTERED["a"]]),
    (FILTERED, "$.o[?@<3, ?@<3]", [1, 2, 1, 2]),
    (FILTERED, '$.a[?@<2 || @.b == "k"]', [1, {"b": "k"}]),
    (FILTERED, '$.a[?match(@.b, "[jk]")]', [{"b": "j"}, {"b": "k"}]),
    (FILTERED, '$.a[?search(@.b, "[jk]")]', [{"b": "j"}, {"b": "k"}, {"b": "kilo"}]),
    (FILTERED, "$.o[?@>1 && @<4]", [2, 3]),
    (FILTERED, "$.o[?@.u || @.x]", [{"u": 6}]),
    (FILTERED, "$.a[?@.b == $.x]", [3, 5, 1, 2, 4, 6]),
    (FILTERED, "$.a[?@ == @]", FILTERED["a"]),
    # 2.5.1.3 child and 2.5.2.3 descendant segments
    (LETTERS, "$[0, 3]", ["a", "d"]),
    (LETTERS, "$[0:2, 5]", ["a", "b", "f"]),
    (LETTERS, "$[0, 0]", ["a", "a"]),
    (DEEP, "$..j", [1, 4]),
    (DEEP, "$..[0]", [5, {"j": 4}]),
    (DEEP, "$..o", [{"j": 1, "k": 2}]),
    (DEEP, "$.o..[*, *]", [1, 2, 1, 2]),
    (DEEP, "$.a..[0, 1]", [5, 3, {"j": 4}, {"k": 6}]),
    # 2.6.1 null
    (NULLS, "$.a", [None]),
    (NULLS, "$.a[0]", []),
    (NULLS, "$.a.d", []),
    (NULLS, "$.b[0]", [None]),
    (NULLS, "$.b[*]", [None]),
    (NULLS, "$.b[?@]", [None]),
    (NULLS, "$.b[?@==null]", [None]),
    (NULLS, "$.c[?@.d==null]", []),
    (NULLS, "$.null", [1]),
]
HOLDS = (
    *("$.absent1 == $.absent2", "$.absent1 <= $.absent2", "$.absent != 'g'", "1 <= 2"),
    *("'a' <= 'b'", "$.obj != $.arr", "$.obj == $.obj", "$.arr == $.arr", "$.obj != 17"),
    *("$.obj <= $.obj", "$.arr <= $.arr", "true <= true"),
)
HOLDS_NOT = (
    *("$.absent == 'g'", "$.absent1 != $.absent2", "1 > 2", "13 == '13'", "'a' > 'b'"),
    *("$.obj == $.arr", "$.obj != $.obj", "$.arr != $.arr", "$.obj == 17", "$.obj <= $.arr"),
    *("$.obj < $.arr", "1 <= $.arr", "1 >= $.arr", "1 > $.arr", "1 < $.arr", "true > true"),
)
"""2.3.5.3, the table of comparisons."""
NOT_WELL_TYPED = (
    *("$[?length(@.*) < 3]", "$[?count(1) == 1]", "$[?match(@.zone, 'a.*') == true]"),
    *("$[?value(@..color)]", "$[?@.a == @.*]"),
)
NOT_VALID = (
    *("", "a", "$.", "$..", "$[", "$[]", "$[01]", "$[-0]", "$[1 :", "$.'a'", "$[?]", "$[a]"),
    *(" $", "$ ", "$[\"a']", "$[?@.a = 1]", "$[9007199254740992]", "$.2", "$[?1]", "$[?true]"),
)


def query(path: str) -> JSONPathQuery:
    [rule] = check(f"{{json: {{{json.dumps(path)}: {{exists: true}}}}}}").expect.json
    return rule.query


@pytest.mark.parametrize(
    ("document", "path", "values"), EXAMPLES, ids=[path for _, path, _ in EXAMPLES]
)
def test_the_examples(document: Any, path: str, values: list[Any]) -> None:  # noqa: ANN401 - JSON
    # Members of an object have no order.
    found = [json.dumps(value) for value in query(path).find(document).values()]
    assert sorted(found) == sorted(map(json.dumps, values))
    assert isinstance(document, dict) or found == list(map(json.dumps, values))


def test_every_member_and_item_of_the_bookstore_is_found() -> None:
    assert len(query("$..*").find(STORE)) == 2 + 1 + 4 + 2 + 12


@pytest.mark.parametrize("comparison", [*HOLDS, *HOLDS_NOT])
def test_the_comparisons(comparison: str) -> None:
    found = query(f"$[?{comparison}]").find({"obj": {"x": "y"}, "arr": [2, 3]})
    assert bool(found) is (comparison in HOLDS)


@pytest.mark.parametrize("path", [*NOT_WELL_TYPED, *NOT_VALID])
def test_what_is_no_query_is_refused_with_its_place(path: str) -> None:
    expect = f"{{json: {{{json.dumps(path)}: 1}}}}"
    error = refusal(with_check(f"http: {{get: /}}\n    expect: {expect}"))
    assert error.startswith("a.suite.yaml:6:")
    assert "is not a JSONPath" in error
