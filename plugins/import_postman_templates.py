"""Postman's ``{{name}}`` in texts, as variables of a suite."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from greenroom.plugins.import_model import UnwritableError, readable
from greenroom.plugins.import_vault import is_secret_name, joined

if TYPE_CHECKING:
    from greenroom.plugins.import_vault import Vault

_TEMPLATE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_CREDENTIAL = re.compile(r"([A-Za-z]+ +)?\{\{\s*([^{}]+?)\s*\}\}")
_SAFE = "/%:@!$'()*+,;=-._~?[]"


class Templates:
    """Writes a collection's texts; ``known`` are the values that collection or environment give."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.known: dict[str, str] = {}
        self._secret: set[str] = set()

    def know(self, variables: Any) -> None:  # noqa: ANN401 - a JSON value
        """Know the variables of a list ``[{key, value, type}]``; later ones win."""
        for one in variables if isinstance(variables, list) else ():
            if not isinstance(one, dict) or one.get("disabled") or one.get("enabled") is False:
                continue
            name = str(one.get("key") or one.get("id") or "")
            value = one.get("value")
            self.known[name] = "" if value is None else str(value)
            if one.get("type") == "secret" or is_secret_name(name):
                self.conceal(name)

    def conceal(self, text: str) -> None:
        """Make what is named in ``text``, or ``text`` as a name, a secret wherever it stands."""
        for name in _TEMPLATE.findall(text) or [text]:
            self._secret.add(name)
            self.vault.learn(name, self.known.get(name, ""))

    def text(self, text: str, where: str) -> str:
        """Return ``text`` as a suite writes it; raises `UnwritableError`."""
        return self._written(text, where, encoded=False)

    def encoded(self, text: str, where: str) -> str:
        """Return ``text`` as part of an address, its literal parts percent-encoded."""
        return self._written(text, where, encoded=True)

    def credential(self, label: str, text: str, where: str) -> str:
        """Return a text that is a secret as a whole, or one variable after a scheme."""
        if found := _CREDENTIAL.fullmatch(text):
            self.conceal(found[2])
            return f"{found[1] or ''}{self._variable(found[2], where)}"
        if _TEMPLATE.search(text):
            raise UnwritableError("a credential that is a variable only in part")
        return self.vault.secret(label, text, where)

    def header(self, name: str, value: str, where: str) -> str:
        """Return a header's value."""
        if not value.isascii() or not value.replace("\t", " ").isprintable():
            raise UnwritableError("a header that is more than one line of ASCII")
        if not is_secret_name(name):
            return self.text(value, where)
        if _TEMPLATE.search(value):
            return self.credential(name, value, where)
        return self.vault.header(name, value, where)

    def pair(self, name: str, value: str, where: str) -> str:
        """Return a pair of a query or form."""
        if not _TEMPLATE.search(name + value):
            return self.vault.pairs(f"{_quoted(name)}={_quoted(value)}", where)
        secret = is_secret_name(name)
        written = self.credential(name, value, where) if secret else self.encoded(value, where)
        return f"{self.encoded(name, where)}={written}"

    def json(self, value: Any, where: str) -> Any:  # noqa: ANN401 - a JSON value
        """Return a JSON value, the templates and secrets in its texts replaced."""
        match value:
            case str():
                return self.text(value, where)
            case list():
                return [self.json(item, where) for item in value]
            case dict():
                return {key: self._member(key, item, where) for key, item in value.items()}
            case _:
                return value

    def _member(self, key: str, value: Any, where: str) -> Any:  # noqa: ANN401 - a JSON value
        if _TEMPLATE.search(key):
            raise UnwritableError("a variable in a name of its JSON")
        if isinstance(value, str) and _TEMPLATE.search(value):
            secret = is_secret_name(key)
            return self.credential(key, value, where) if secret else self.text(value, where)
        if isinstance(value, dict | list) and not is_secret_name(key):
            return {**self.vault.json({key: None}, where), key: self.json(value, where)}[key]
        return self.vault.json({key: value}, where)[key]

    def _written(self, text: str, where: str, *, encoded: bool) -> str:
        parts: list[str] = []
        at = 0
        for found in _TEMPLATE.finditer(text):
            parts += [self._literal(text[at : found.start()], where, encoded=encoded)]
            parts += [self._variable(found[1], where)]
            at = found.end()
        return joined(*parts, self._literal(text[at:], where, encoded=encoded))

    def _literal(self, text: str, where: str, *, encoded: bool) -> str:
        return self.vault.text(_quoted(text) if encoded else text, where)

    def _variable(self, name: str, where: str) -> str:
        if name.startswith("$"):
            raise UnwritableError(f"{readable(name)}, a value that Postman makes up")
        value = self.known.get(name, "")
        if name in self._secret or is_secret_name(name) or self.vault.shows_secret(value):
            return self.vault.secret(name, value or f"{{{{{name}}}}}", where)
        return self.vault.setting(name, where, value)


def _quoted(text: str) -> str:
    """Return ``text`` percent-encoded, what is so already left as it is."""
    return quote(text, safe=_SAFE, errors="replace")
