"""Where a hook's report is kept in S3, and the address that leads a person to it.

``s3://BUCKET/PREFIX/DEPLOYMENT/EVENT-EXECUTION/report.html``: all reports of a deployment stand
together, and each execution has a folder of its own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlencode

from greenroom.plugins.documents import PAGE
from greenroom.validators.errors import SettingsError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 80
_KEPT = 60
_DIGEST = 12
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CONSOLES = (
    (re.compile(r"cn-\w+-\d+"), "console.amazonaws.cn"),
    (re.compile(r"us-gov-\w+-\d+"), "console.amazonaws-us-gov.com"),
    (re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+"), "console.aws.amazon.com"),
)
"""The S3 console of each partition that has a public one, by the form of its regions' names."""


class HookRun(NamedTuple):
    """What names one execution of a hook; ``event`` is empty where it is not known."""

    deployment: str
    event: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """A folder in S3; ``prefix`` neither begins nor ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, upload: str, run: HookRun) -> ReportPlace:
        """Return the folder of ``run`` below ``upload`` (``s3://BUCKET`` or with a prefix)."""
        scheme, _, rest = upload.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise SettingsError(f"upload is {upload!r}", hint="give s3://BUCKET/PREFIX")
        execution = f"{file_name(run.event or 'hook')}-{file_name(run.execution_id)}"
        parts = [prefix.strip("/"), file_name(run.deployment), execution]
        return cls(bucket, "/".join(filter(None, parts)))

    def key(self, name: str) -> str:
        """Return the key of the document ``name``."""
        return f"{self.prefix}/{name}"

    def uri(self, name: str) -> str:
        """Return the document's ``s3://`` address."""
        return f"s3://{self.bucket}/{self.key(name)}"

    def console(self, region: str) -> str:
        """Return the address of the HTML report in the S3 console, or its ``s3://`` address."""
        host = next((host for form, host in _CONSOLES if form.fullmatch(region)), "")
        if not host:
            return self.uri(PAGE)
        if host.endswith("aws.amazon.com"):
            host = f"{region}.{host}"
        query = urlencode({"region": region, "prefix": self.key(PAGE)})
        return f"https://{host}/s3/object/{quote(self.bucket)}?{query}"


def report_link(run: HookRun, *, upload: str, template: str, region: str) -> str:
    """Return the address of the run's report, empty where it is kept nowhere.

    ``template`` comes first: ``{deployment}``, ``{event}``, ``{execution}``, ``{bucket}`` and
    ``{key}`` in it are filled in, percent-encoded. Raises `SettingsError` for any other.
    """
    place = ReportPlace.of(upload, run) if upload else None
    if not template:
        return place.console(region) if place else ""
    values = {
        "deployment": run.deployment,
        "event": run.event,
        "execution": run.execution_id,
        **({"bucket": place.bucket, "key": place.key(PAGE)} if place else {}),
    }

    def filled(found: re.Match[str]) -> str:
        if found[1] in values:
            return quote(values[found[1]], safe="/" if found[1] == "key" else "", errors="replace")
        raise SettingsError(
            f"link: nothing fills in {found[0]}",
            hint=f"use {', '.join(f'{{{name}}}' for name in values)}"
            f"{'' if place else '; bucket and key need upload'}",
        )

    return _PLACEHOLDER.sub(filled, template)


def file_name(text: str) -> str:
    """Return a name for ``text`` that is safe in keys and paths; no two texts share one.

    An ARN is known by its last part. A text that had to be changed or cut carries a digest.
    """
    safe = _UNSAFE.sub("_", text.rpartition(":")[2]).lstrip(".")
    if safe == text and 0 < len(safe) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{safe[:_KEPT] or 'unnamed'}-{digest}"
