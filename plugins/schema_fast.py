"""Says quickly that a value is valid: jsonschema-rs, where it is installed and sure to agree.

Only its yes counts; whatever it does not accept, jsonschema judges. So a schema is left to
jsonschema alone where the two could differ on a yes: what can turn a no into a yes (``not``,
``if``, ``oneOf``), keywords and formats that are not known here, regular expressions beyond a plain
few, references out of the schema, and numbers beyond what a double holds exactly.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jsonschema import FormatChecker
    from jsonschema.protocols import Validator

_RS: dict[str, Any] = {}
with contextlib.suppress(ImportError):
    import jsonschema_rs

    _RS = vars(jsonschema_rs)
_NOTES = frozenset({"$schema", "$comment", "title", "description", "default", "examples"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_SURE = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items"}
    | {"prefixItems", "minItems", "maxItems", "minProperties", "maxProperties", "minLength"}
    | {"maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern"}
    | {"format", "allOf", "anyOf", "$ref"}
)
_KEYWORDS = _NOTES | _DEFINITIONS | _SURE
_OLD = (Draft4Validator, Draft6Validator, Draft7Validator)
_EXACT = 2**53 - 1
_PLAIN_PATTERN = re.compile(
    r"""\^?(?:
        [A-Za-z0-9_ @:,/%=~!;<>'"-]                          # a plain character
      | \\[dw.+*?()\[\]{}|^$/\\-]                            # a digit, a letter, an escaped one
      | \[\^?[A-Za-z0-9_.,:;@%=/+*?!'"<>(){}$]+(?:-[A-Za-z0-9]|[A-Za-z0-9_.])*-?\]
      | \((?:\?:|(?!\?)) | \) | \|
      | [+*?] | \{[0-9]+(?:,[0-9]*)?\}
    )*\$?""",
    re.VERBOSE,
)
"""Regular expressions of which ECMA 262's yes is Python's, too."""


def fast_validator(
    schema: dict[str, Any], contents: Iterable[dict[str, Any]], kind: type[Validator]
) -> Callable[[Any], bool] | None:
    """Return a test whose yes is sure for ``schema``, or None; ``contents`` are all its schemas."""
    if kind.__name__ not in _RS:
        return None
    checkers = {name: _held(kind.FORMAT_CHECKER, name) for name in kind.FORMAT_CHECKER.checkers}
    if not all(_is_sure(one, checkers, old=kind in _OLD) for one in contents):
        return None
    try:
        accepts = _RS[kind.__name__](schema, formats=checkers, validate_formats=True).is_valid
    except (ValueError, TypeError):  # it compiles less than jsonschema does
        return None

    def yes(value: Any) -> bool:  # noqa: ANN401 - a JSON value
        try:
            return bool(accepts(value))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return False  # a value that it cannot take: a lone surrogate, or nested too deeply

    return yes


def _held(checker: FormatChecker, name: str) -> Callable[[str], bool]:
    return lambda text: bool(checker.conforms(text, name))


def _is_sure(schema: dict[str, Any], formats: Iterable[str], *, old: bool) -> bool:
    if not schema.keys() <= _KEYWORDS or (old and "$ref" in schema and len(schema) > 1):
        return False
    return (
        str(schema.get("$ref", "#")).startswith("#")
        and schema.get("format") in {None, *formats}
        and _PLAIN_PATTERN.fullmatch(str(schema.get("pattern", ""))) is not None
        and not isinstance(schema.get("items"), list)
        and all(_is_exact(schema[key]) for key in schema if key not in _DEFINITIONS | _NOTES)
    )


def _is_exact(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Tell whether no number in ``value`` is beyond what a double holds exactly."""
    match value:
        case int() | float():
            return abs(value) <= _EXACT
        case list():
            return all(map(_is_exact, value))
        case dict():
            return all(map(_is_exact, value.values()))
        case _:
            return True
