"""What Trivy learnt of layers saves time and changes no answer."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.layer_cache import KEPT_S, layer_cache
from greenroom.validators.errors import ToolError
from greenroom.validators.image import Scanner
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.scans import ADVISORIES, OLD, Scans, image

if TYPE_CHECKING:
    from pathlib import Path


def layers(folder: Path) -> Path:
    """The only folder of layers that checks have kept."""
    [found] = [path for path in (folder / "cache" / "trivy-layers").iterdir() if path.is_dir()]
    return found


def test_a_newer_database_judges_layers_that_are_known(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database(ADVISORIES[1:])
    app = scans.layout("app", image(oci.debian(OLD)))
    assert scans.judged(app).outcome is Outcome.ERROR  # the database knows no Debian
    assert scans.database().judged(app).outcome is Outcome.FAILED
    assert (layers(tmp_path) / "fanal" / "fanal.db").is_file()


def test_layers_that_are_spoilt_are_read_anew(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database()
    app = scans.layout("app", image(oci.debian(OLD)))
    scans.scan(app)
    (layers(tmp_path) / "fanal" / "fanal.db").write_bytes(b"not a database" * 1000)
    for report in (tmp_path / "cache" / "trivy-reports").iterdir():
        report.unlink()
    assert scans.judged(app).outcome is Outcome.FAILED


def test_two_checks_of_one_image_wait_for_each_other(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database()
    app = scans.layout("app", image(oci.debian(OLD)))
    with ThreadPoolExecutor(2) as both:
        vuln = both.submit(scans.scan, app, Scanner.VULN)
        secret = both.submit(scans.scan, app, Scanner.VULN, Scanner.SECRET)
        assert len(vuln.result().scans[0].results) == len(secret.result().scans[0].results) == 1


def test_a_folder_that_somebody_holds_is_waited_for_in_bounded_time(tmp_path: Path) -> None:
    with (
        layer_cache(tmp_path, tmp_path / "db", ("a",), time.monotonic() + 5),
        pytest.raises(ToolError, match="busy with the same image"),
        layer_cache(tmp_path, tmp_path / "db", ("a",), time.monotonic()),
    ):
        pass


def test_a_folder_that_somebody_put_there_is_an_error(tmp_path: Path) -> None:
    soon = time.monotonic() + 5
    with layer_cache(tmp_path, tmp_path / "db", ("a",), soon) as folder:
        (folder / "db").unlink()
        (folder / "db").mkdir()
    with (
        pytest.raises(ToolError, match="cannot be used") as caught,
        layer_cache(tmp_path, tmp_path / "db", ("a",), soon),
    ):
        pass
    assert caught.value.hint == "delete it: it is a cache"


def test_what_nobody_used_for_long_is_removed(tmp_path: Path) -> None:
    soon = time.monotonic() + 5
    with layer_cache(tmp_path, tmp_path / "db", ("old",), soon) as old:
        pass
    with layer_cache(tmp_path, tmp_path / "db", ("young",), soon) as young:
        pass
    long_ago = time.time() - KEPT_S - 60
    os.utime(old, (long_ago, long_ago))
    with layer_cache(tmp_path, tmp_path / "db", ("new",), soon) as new:
        assert (old.exists(), young.exists(), new.exists()) == (False, True, True)


def test_what_somebody_holds_is_not_removed_however_old_it_looks(tmp_path: Path) -> None:
    soon = time.monotonic() + 5
    with layer_cache(tmp_path, tmp_path / "db", ("old",), soon) as old:
        os.utime(old, (0, 0))
        with layer_cache(tmp_path, tmp_path / "db", ("new",), soon):
            assert old.exists()
