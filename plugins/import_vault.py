"""The variables of a suite that is being imported: no credential of the source is written.

A value is a secret by the name that it stands under (a header, a parameter, a field of JSON), by
its form (a JSON Web Token, an access key), or because it was a secret elsewhere in the document.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from greenroom.plugins.import_model import UnwritableError
from greenroom.plugins.redaction import REDACTED, Redactor, is_sensitive
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPLACED_LEAST = 8
"""Characters of the shortest secret that is also looked for outside its own place."""
_DEPTH_MOST = 50
_SHORT_NAMES = frozenset(
    {"auth", "bearer", "csrf", "jwt", "otp", "pass", "pin", "pwd", "session", "sid", "sig", "xsrf"}
)
_QUERY_NAMES = _SHORT_NAMES | {"key", "code"}
_SCHEMES = {"bearer": "BEARER_TOKEN", "basic": "BASIC_CREDENTIALS"}
_FORMS = (
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    r"gh[oprsu]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_-]{16,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"PMAK-[A-Za-z0-9-]{20,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
)
_FORM = re.compile("|".join(_FORMS))
_PAIR = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]+)")
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_~.=-]{16,}")


@dataclass(frozen=True, slots=True)
class Need:
    """A variable that must be set before a run; ``value`` is known for settings alone."""

    name: str
    where: str
    value: str = ""


class Vault:
    """Writes texts of a suite: literals escaped, secrets and settings as variables.

    What is to be found everywhere is made known by ``learn`` before the first text is written.
    ``real`` is False for examples: one is a secret by its name alone, not wherever it stands.
    """

    def __init__(self, *, real: bool = True) -> None:
        self._real = real
        self._labels: dict[str, str] = {}
        self._secrets: dict[str, Need] = {}
        self._settings: dict[str, Need] = {}
        self._pattern: re.Pattern[str] | None = None

    @property
    def secrets(self) -> tuple[Need, ...]:
        """The secrets that were written."""
        return tuple(self._secrets.values())

    @property
    def settings(self) -> tuple[Need, ...]:
        """The settings' variables that were written."""
        return tuple(self._settings.values())

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Forget the variables that were asked for within, if what asks for them fails."""
        before = dict(self._secrets), dict(self._settings)
        try:
            yield
        except (UnwritableError, SettingsError):
            self._secrets, self._settings = before
            raise

    def learn(self, label: str, value: str) -> None:
        """Know ``value`` as a secret named after ``label``."""
        if not self._real:
            return
        if value and value not in self._labels:
            self._labels[value] = label
            self._pattern = None
        if (
            encoded := quote(value, safe="", errors="replace")
        ) != value and encoded not in self._labels:
            self._labels[encoded] = f"{label}_ENCODED"

    def secret(self, label: str, value: str, where: str) -> str:
        """Return the variable that stands for the secret ``value``; an empty one stays empty."""
        if not value:
            return ""
        self.learn(label, value)
        key = value if self._real else label
        if key not in self._secrets:
            taken = {need.name for need in self._secrets.values()}
            name = _secret_name(self._labels.get(value, label))
            self._secrets[key] = Need(_free(name, taken), where)
        return f"${{secret.{self._secrets[key].name}}}"

    def setting(self, name: str, where: str, value: str = "") -> str:
        """Return the variable of the settings named ``name``."""
        if name not in self._settings:
            taken = {need.name for need in self._settings.values()}
            plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
            plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
            self._settings[name] = Need(_free(plain, taken), where, value)
        return f"${{settings.{self._settings[name].name}}}"

    def text(self, text: str, where: str) -> str:
        """Return ``text`` as a suite writes it, the secrets in it replaced."""
        _refuse_surrogates(text)
        pattern = self._known()
        parts: list[str] = []
        at = 0
        for found in pattern.finditer(text):
            parts += [escaped(text[at : found.start()]), self.secret("TOKEN", found[0], where)]
            at = found.end()
        return joined(*parts, escaped(text[at:]))

    def header(self, name: str, value: str, where: str) -> str:
        """Return a header's value; the scheme of an authorization stays readable."""
        if not value.isascii() or not value.replace("\t", " ").isprintable():
            raise UnwritableError("a header that is more than one line of ASCII")
        if not _is_secret(name):
            return self.text(value, where)
        label, scheme, credential = _credential(name, value)
        return joined(escaped(scheme), self.secret(label, credential, where))

    def learn_header(self, name: str, value: str) -> None:
        """Know the credential of a header, if it has one."""
        if _is_secret(name):
            label, _, credential = _credential(name, value)
            self.learn(label, credential)
        if name.lower() == "cookie":
            self.learn_pairs(value.replace("; ", "&"))

    def learn_pairs(self, text: str) -> None:
        """Know the credentials in a query or a form."""
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            if _is_secret(name, _QUERY_NAMES):
                self.learn(name, value)
                self.learn(name, unquote_plus(value))

    def learn_json(self, value: Any) -> None:  # noqa: ANN401 - a JSON value
        """Know the secrets of a JSON value."""
        pending = [("", value)]
        while pending:
            name, item = pending.pop()
            if isinstance(item, dict):
                pending += [(name or _name_of(key), one) for key, one in item.items()]
            elif isinstance(item, list):
                pending += [(name, one) for one in item]
            elif name and isinstance(item, str):
                self.learn(name, item)

    def pairs(self, text: str, where: str) -> str:
        """Return the pairs of a query or a form, ``a=1&b=2``."""
        return "&".join(self._pair(pair, where) for pair in text.split("&"))

    def path(self, path: str, where: str) -> str:
        """Return a path; what looks random after a segment such as ``/token/`` is a secret."""
        parts = path.split("/")
        written = [self.text(part, where) for part in parts]
        for at, part in enumerate(parts[1:], 1):
            if _is_secret(parts[at - 1]) and _RANDOM.fullmatch(part):
                written[at] = self.secret(parts[at - 1], part, where)
        return "/".join(written)

    def json(self, value: Any, where: str, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - a JSON value
        """Return a JSON value with its secrets replaced; ``name`` is the secret name it is below.

        A number below such a name becomes a text.
        """
        if depth > _DEPTH_MOST:
            raise UnwritableError("its JSON is nested too deeply")
        match value:
            case str():
                return self.secret(name, value, where) if name else self.text(value, where)
            case dict():
                return {
                    self._key(key): self.json(item, where, name or _name_of(key), depth + 1)
                    for key, item in value.items()
                }
            case list():
                return [self.json(item, where, name, depth + 1) for item in value]
            case int() | float() if name and not isinstance(value, bool):
                return self.secret(name, str(value), where)
            case _:
                return value

    def shows_secret(self, text: str) -> bool:
        """Tell whether a secret stands in ``text``."""
        return self._known().search(text) is not None

    def masked(self, text: str) -> str:
        """Return a path, an address or a name for people to read, without any secret."""
        return _masked(text, self._known())

    def _key(self, key: str) -> str:
        _refuse_surrogates(key)
        if self.shows_secret(key):
            raise UnwritableError("a name in its JSON is a secret")
        return key

    def _pair(self, pair: str, where: str) -> str:
        name, equals, value = pair.partition("=")
        if _is_secret(name, _QUERY_NAMES):
            return f"{self.text(name, where)}{equals}{self.secret(name, value, where)}"
        return self.text(pair, where)

    def _known(self) -> re.Pattern[str]:
        if self._pattern is None:
            known = [value for value in self._labels if len(value) >= _REPLACED_LEAST]
            known.sort(key=lambda value: (-len(value), value))
            self._pattern = re.compile("|".join([*map(re.escape, known), _FORM.pattern]))
        return self._pattern


def masked(text: str) -> str:
    """Return ``text`` without what is a secret by its name or its form."""
    return _masked(text, _FORM)


def _masked(text: str, pattern: re.Pattern[str]) -> str:
    shown = _PAIR.sub(_masked_pair, Redactor().url(text))
    parts = pattern.sub(REDACTED, shown).split("/")
    for at, part in enumerate(parts[1:], 1):
        if _is_secret(parts[at - 1]) and _RANDOM.fullmatch(part):
            parts[at] = REDACTED
    return "/".join(parts)


def _masked_pair(found: re.Match[str]) -> str:
    return f"{found[1]}={REDACTED}" if _is_secret(found[1], _QUERY_NAMES) else found[0]


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under ``name`` is a secret."""
    return _is_secret(name)


def escaped(text: str) -> str:
    """Return ``text`` so that a suite reads it as it is."""
    return text.replace("${", "$${")


def joined(*parts: str) -> str:
    """Return the parts of a suite's text as one; raises `UnwritableError` for ``$`` before ``${``.

    No suite can say that: ``$${`` is a plain ``${``.
    """
    said = [part for part in parts if part]
    for one, other in pairwise(said):
        if one.endswith("$") and other.startswith("${"):
            raise UnwritableError("it has a $ right before a variable")
    return "".join(said)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnwritableError("half a character (a lone surrogate)") from None


def _is_secret(name: str, short: frozenset[str] = _SHORT_NAMES) -> bool:
    return is_sensitive(name) or name.lower() in short


def _name_of(key: str) -> str:
    return key if _is_secret(key) else ""


def _credential(name: str, value: str) -> tuple[str, str, str]:
    """Return what to name a header's credential after, what stands before it, and itself."""
    scheme, _, rest = value.partition(" ")
    if rest.strip() and name.lower().endswith("authorization"):
        return _SCHEMES.get(scheme.lower(), "AUTHORIZATION"), f"{scheme} ", rest.strip()
    return name, "", value


def _secret_name(label: str) -> str:
    """Return the environment variable's name; never one that other programs read, as AWS_… is."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", label)
    words = re.sub(r"[^A-Z0-9]+", "_", words.upper()).strip("_").removeprefix("X_")
    return words if words.startswith("API_") else f"API_{words or 'SECRET'}"


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
