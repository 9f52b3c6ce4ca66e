"""Known-vulnerable images of ours: a database that finds nothing in them proves nothing.

A canary is an OCI layout with one layer: the package database of the subject's own release, with
well-known packages at absurdly old versions, and an SBOM with old packages of each language.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from greenroom.validators.image import OperatingSystem

_DEB = ("openssl", "curl", "zlib", "glibc", "expat", "libxml2", "perl", "sqlite3", "systemd")
_APK = ("openssl", "zlib", "curl", "busybox", "musl", "expat", "libxml2", "sqlite", "xz")
_RPM = ("openssl", "openssl-libs", "curl", "glibc", "zlib", "kernel", "expat", "libxml2", "sqlite")
_DPKG = "".join(
    f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.0.1-1\n\n"
    for name in _DEB
)
_APK_DB = "".join(f"P:{name}\nV:0.0.1-r0\nA:x86_64\no:{name}\n\n" for name in _APK)
_RPMS = "".join(
    f"{name}\t0.0.1-1\t1\t1\tGreenroom\t(none)\t1\tx86_64\t0\t{name}-0.0.1-1.src.rpm\n"
    for name in _RPM
)
_DEB_FAMILIES = {"debian": "debian", "ubuntu": "ubuntu"}
_APK_FAMILIES = {"alpine": "alpine", "wolfi": "wolfi", "chainguard": "chainguard"}
_RPM_FAMILIES = {
    "alma": "almalinux",
    "amazon": "amzn",
    "azurelinux": "azurelinux",
    "cbl-mariner": "mariner",
    "centos": "centos",
    "fedora": "fedora",
    "oracle": "ol",
    "photon": "photon",
    "redhat": "rhel",
    "rocky": "rocky",
}
_RELEASE_FILES = {
    "amazon": ("etc/system-release", "Amazon Linux release {}\n"),
    "centos": ("etc/centos-release", "CentOS Linux release {} (Core)\n"),
    "redhat": ("etc/redhat-release", "Red Hat Enterprise Linux release {} (Plow)\n"),
}
_LANGUAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # ecosystem: what Trivy calls its kinds of files, and packages with old, well-known flaws
    "npm": (
        ("npm", "node-pkg", "yarn", "pnpm", "bun"),
        ("npm/lodash@0.1.0", "npm/minimist@0.0.1", "npm/express@2.0.0"),
    ),
    "pip": (
        ("pip", "python-pkg", "pipenv", "poetry", "uv"),
        ("pypi/django@1.0", "pypi/jinja2@2.0", "pypi/urllib3@1.0"),
    ),
    "maven": (
        ("jar", "pom", "gradle", "sbt"),
        (
            "maven/org.apache.logging.log4j/log4j-core@2.0",
            "maven/com.fasterxml.jackson.core/jackson-databind@2.0.0",
        ),
    ),
    "go": (
        ("gobinary", "gomod"),
        ("golang/golang.org/x/net@v0.0.1", "golang/golang.org/x/crypto@v0.0.1"),
    ),
    "rubygems": (("gemspec", "bundler"), ("gem/rack@1.0.0", "gem/nokogiri@1.0.0")),
    "cargo": (("cargo", "rustbinary"), ("cargo/openssl@0.1.0", "cargo/time@0.1.0")),
    "composer": (
        ("composer", "composer-vendor"),
        ("composer/twig/twig@1.0.0", "composer/symfony/http-foundation@2.0.0"),
    ),
    "nuget": (
        ("nuget", "dotnet-core", "packages-props"),
        ("nuget/Newtonsoft.Json@1.0.0", "nuget/System.Text.Encodings.Web@4.0.0"),
    ),
}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


UNREADABLE = {"srv/node_modules/canary/package.json": "{"}
"""A file that must be told as one that cannot be read."""


def language_of(kind: str) -> str:
    """Return the ecosystem whose advisories Trivy's ``kind`` of file needs; "" without canary."""
    return next((name for name, (kinds, _) in _LANGUAGES.items() if kind in kinds), "")


def canary_files(system: OperatingSystem | None, kinds: Iterable[str]) -> dict[str, str]:
    """Return the files of a canary for that release and Trivy's ``kinds`` of files."""
    files = {} if system is None else _system_files(system)
    languages = sorted({language_of(kind) for kind in kinds} - {""})
    if languages:
        files["srv/canary.cdx.json"] = _sbom(languages)
    return files


def write_canary(folder: Path, files: Mapping[str, str]) -> None:
    """Write ``files`` as an image of one layer: an OCI layout in the new ``folder``."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layer = _blob(blobs, _LAYER, _tar(files))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _blob(blobs, _CONFIG, _json(config)),
        "layers": [layer],
    }
    index = {"schemaVersion": 2, "manifests": [_blob(blobs, _MANIFEST, _json(manifest))]}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def _system_files(system: OperatingSystem) -> dict[str, str]:
    family, version = system.family, system.version
    if name := _DEB_FAMILIES.get(family):
        release = {"etc/debian_version": f"{version}\n"} if family == "debian" else _lsb(version)
        return _os_release(name, version) | release | {"var/lib/dpkg/status": _DPKG}
    if name := _APK_FAMILIES.get(family):
        release = {"etc/alpine-release": f"{version}\n"} if family == "alpine" else {}
        return _os_release(name, version) | release | {"lib/apk/db/installed": _APK_DB}
    if name := _RPM_FAMILIES.get(family):
        path, text = _RELEASE_FILES.get(family, ("", ""))
        release = {path: text.format(version)} if path else {}
        rpms = {"var/lib/rpmmanifest/container-manifest-2": _RPMS}
        return _os_release(name, version.partition(" ")[0]) | release | rpms
    return {}


def _os_release(name: str, version: str) -> dict[str, str]:
    return {"etc/os-release": f'ID={name}\nVERSION_ID="{version}"\n'}


def _lsb(version: str) -> dict[str, str]:
    return {"etc/lsb-release": f"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={version}\n"}


def _sbom(languages: Iterable[str]) -> str:
    packages = [package for language in languages for package in _LANGUAGES[language][1]]
    components = [_component(number, package) for number, package in enumerate(packages)]
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
    )


def _component(number: int, package: str) -> dict[str, str]:
    path, _, version = package.rpartition("@")
    return {
        "type": "library",
        "bom-ref": str(number),
        "name": path.rpartition("/")[2],
        "version": version,
        "purl": f"pkg:{package}",
    }


def _tar(files: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, text in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return written.getvalue()


def _blob(folder: Path, media_type: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (folder / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
