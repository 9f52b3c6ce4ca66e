"""The credentials that an OpenAPI operation asks for, as variables: none stands in the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_vault import Vault
    from greenroom.plugins.mock_schemas import Schemas


class Credentials:
    """What is sent for the first of an operation's alternatives, nothing where one needs nothing.

    ``notes`` say which schemes cannot be written.
    """

    def __init__(
        self, schemas: Schemas, vault: Vault, operation: dict[str, Any], content: dict[str, Any]
    ) -> None:
        self._vault = vault
        self.notes: list[str] = []
        self._schemes: dict[str, dict[str, Any]] = {}
        for name in _names(operation.get("security", content.get("security"))):
            scheme, _ = schemas.follow(["components", "securitySchemes", name])
            if isinstance(scheme, dict):
                self._schemes[name] = scheme
            else:
                self.notes.append(f"its security scheme {name!r} has no definition")
        self._sent = list(self._all())

    def headers(self) -> Iterator[tuple[str, str]]:
        """Yield the headers that carry credentials."""
        for place, name, value in self._sent:
            if place == "header":
                yield name, value
        cookies = [f"{name}={value}" for place, name, value in self._sent if place == "cookie"]
        if cookies:
            yield "Cookie", "; ".join(cookies)

    def query(self) -> Iterator[tuple[str, str]]:
        """Yield the query parameters that carry credentials."""
        for place, name, value in self._sent:
            if place == "query":
                yield name, value

    def _all(self) -> Iterator[tuple[str, str, str]]:
        for name, scheme in self._schemes.items():
            kind = str(scheme.get("type"))
            http = str(scheme.get("scheme", "")).lower() if kind == "http" else ""
            if kind == "apiKey":
                variable = self._variable(name, f"the API key of the security scheme {name}")
                yield str(scheme.get("in")), str(scheme.get("name")), variable
            elif http == "basic":
                said = f"base64 of USER:PASSWORD, for the security scheme {name}"
                yield "header", "Authorization", f"Basic {self._variable(name, said)}"
            elif http == "bearer" or kind in {"oauth2", "openIdConnect"}:
                said = f"the token of the security scheme {name}"
                yield "header", "Authorization", f"Bearer {self._variable(name, said)}"
            else:
                self.notes.append(
                    f"its security scheme {name!r} ({http or kind}) is not carried over"
                )

    def _variable(self, name: str, where: str) -> str:
        return self._vault.secret(name, "any", where)


def _names(security: Any) -> list[str]:  # noqa: ANN401 - a JSON value
    """Return the schemes of the first alternative; none where one of them asks for nothing."""
    listed = (
        [one for one in security if isinstance(one, dict)] if isinstance(security, list) else []
    )
    return list(listed[0]) if listed and all(listed) else []
