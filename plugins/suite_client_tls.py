"""``tls:`` of a suite: ``{ca?: PATH, client_cert?: PATH, client_key?: PATH, insecure?: true}``.

Its paths may hold variables, and start at the suite's folder; nothing of these files is sent. The
settings' own table does not hold beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.client_tls import PATH_KEYS, TLS_KEYS, Tls, checked
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node


def read_suite_tls(fields: Fields, node: Node, folder: Path, target: str) -> Tls:
    """Read the value of ``tls:``; its files are loaded once, so that what is wrong shows now."""
    found = fields.mapping(node, "tls", TLS_KEYS)
    paths = {key: fields.filled(found[key].value, key) for key in PATH_KEYS if key in found}
    insecure = "insecure" in found and fields.flag(found["insecure"].value, "insecure")
    try:
        tls = checked(Tls(**paths, insecure=insecure).below(folder))
        tls.require_fit(target)
        if paths:
            tls.context()
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None
    return tls
