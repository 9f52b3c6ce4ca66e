"""References to container images, by the grammar of Docker's distribution project."""

from __future__ import annotations

import re
from dataclasses import dataclass

from greenroom.validators.errors import SettingsError

DOCKER_HUB = "docker.io"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME_MOST = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference, its defaults written out; ``tag`` and ``digest`` are empty if not given."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The reference without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Read ``[registry/]repository[:tag][@digest]``; raises `SettingsError` for anything else.

    Without a registry it is ``docker.io``, where a repository of one part lies in ``library``.
    """
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _wrong(text, f"{digest!r} is no digest", "write sha256: and 64 of 0-9a-f")
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise _wrong(text, f"{tag!r} is no tag", "1 to 128 of A-Z a-z 0-9 _ . -, no . or - first")
    registry, repository = _split(f"{head}{slash}{last}")
    if not _REGISTRY.fullmatch(registry):
        raise _wrong(text, f"{registry!r} is no registry", "write a host name, with :port or not")
    if not _REPOSITORY.fullmatch(repository):
        hint = "only lower case is allowed" if repository != repository.lower() else _GRAMMAR
        raise _wrong(text, f"{repository!r} is no repository", hint)
    if len(registry) + 1 + len(repository) > _NAME_MOST:
        raise _wrong(text, f"its name is longer than {_NAME_MOST} characters", "shorten it")
    return Reference(registry, repository, tag, digest)


_GRAMMAR = "parts of a-z 0-9 with single . or _, __ or - between them, separated by /"


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not (set(".:[") & set(first) or first == "localhost" or first.lower() != first):
        first, rest = DOCKER_HUB, name
    if first == f"index.{DOCKER_HUB}":
        first = DOCKER_HUB
    if first == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _wrong(text: str, why: str, hint: str) -> SettingsError:
    return SettingsError(f"{text!r} is no reference to an image: {why}", hint=hint)
