"""The proof that the replacement answered: where an answer names its revision, and which one.

A service proves it by a header of its answers, or by a field of a JSON answer. An answer that names
no revision, or another one, was not the replacement's. That it is not known is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.redaction import is_sensitive
from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Rule
from greenroom.validators.json_values import cut, printable, show

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.suite_variables import Variables
    from greenroom.validators.http import Answer

RELEASED = "${release.revision}"
"""The revision that is being deployed."""
RULE = "answered by"
ADVICE = (
    "another revision answered: check which revision the listener leads to; "
    "[ready] in the settings waits for the new one"
)


@dataclass(frozen=True, slots=True)
class AnsweredBy:
    """Every answer must name the revision ``equals``, in a header or at a JSON path.

    ``equals`` may hold variables until it is `filled`.
    """

    equals: str
    header: str = ""
    path: str = ""
    query: JSONPathQuery | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """Where an answer names its revision."""
        return f"header {self.header.lower()}" if self.header else f"json {self.path}"

    @property
    def limit(self) -> str:
        """What is expected, as a rule's limit."""
        return f"revision {_shown(self.equals)} ({self.place})"

    def filled(self, variables: Variables) -> AnsweredBy:
        """Return this with its variables replaced; no revision is a `SettingsError`."""
        return replace(self, equals=variables.fill(self.equals)).known()

    def known(self) -> AnsweredBy:
        """Return this; raises `SettingsError` where no revision is named."""
        if not self.equals.strip():
            raise SettingsError(
                "the revision that must answer is empty",
                hint="give --greenroom-release revision=VALUE",
            )
        return replace(self, equals=self.equals.strip())

    def named(self, answer: Answer) -> tuple[str, ...]:
        """Return the revisions that ``answer`` names; none if it names no revision."""
        if self.header:
            value = answer.header(self.header)
            return () if value is None else (value.strip(),)
        return tuple(dict.fromkeys(_text(value) for value in self._selected(answer)))

    def judge(self, answer: Answer) -> Rule:
        """Judge whether the replacement answered."""
        named = self.named(answer)
        return Rule(RULE, self.limit, seen_revision(named) or f"no {self.place}", self.met(named))

    def met(self, named: tuple[str, ...]) -> bool:
        """Tell whether the revisions that an answer names are the one that must answer."""
        return bool(self.equals) and named == (self.equals,)

    def _selected(self, answer: Answer) -> tuple[Any, ...]:
        from greenroom.plugins.suite_contract import read_json  # noqa: PLC0415 - for JSON only

        assert self.query is not None  # noqa: S101 - made by `answered_by`
        try:
            return tuple(self.query.find(read_json(answer.body)).values())
        except (ValueError, RecursionError):
            return ()


def answered_by(*, equals: str, header: str = "", path: str = "") -> AnsweredBy:
    """Return the proof by ``header`` or by the JSONPath ``path``; raises `SettingsError`."""
    if bool(header) == bool(path):
        raise SettingsError(
            "an answer names its revision in a header or in a JSON field",
            hint="give one of the two",
        )
    if header:
        if is_sensitive(header):
            raise SettingsError(
                f"the header {header} is taken for a credential, and never shown",
                hint="name the revision in another header, for example x-revision",
            )
        return AnsweredBy(equals, header=header)
    import jsonpath_rfc9535  # noqa: PLC0415 - for JSON only

    try:
        query = jsonpath_rfc9535.compile(path)
    except jsonpath_rfc9535.JSONPathError as error:
        raise SettingsError(
            f"{path!r} is not a JSONPath: {error}", hint="RFC 9535, for example $.revision"
        ) from None
    return AnsweredBy(equals, path=path, query=query)


def seen_revision(named: tuple[str, ...]) -> str:
    """Return the revisions that an answer names as a text, empty if it names none."""
    return f"revision {', '.join(map(_shown, named))}" if named else ""


def _text(value: object) -> str:
    """Return a revision as a text: a build's number may be a number in JSON."""
    return value if isinstance(value, str) else show(value)


def _shown(revision: str) -> str:
    return cut(printable(revision)) or "(empty)"
