"""Every rule of ours for templates, and the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError
from greenroom.validators.template_hook_rules import HOOK_RULES
from greenroom.validators.template_shift_rules import SHIFT_RULES
from greenroom.validators.template_spec_rules import SPEC_RULES

if TYPE_CHECKING:
    from collections.abc import Collection

    from greenroom.validators.template import TemplateRule

RULES = (*HOOK_RULES, *SHIFT_RULES, *SPEC_RULES)
"""In the order of their ids, which stay what they are."""


def choose_rules(
    select: Collection[str] = (), ignore: Collection[str] = ()
) -> tuple[TemplateRule, ...]:
    """Return the rules in ``select`` (all, if empty) that are not in ``ignore``.

    Raises `SettingsError` for an id that there is not, and where no rule would be left.
    """
    known = {rule.id for rule in RULES}
    for name in (*select, *ignore):
        if name not in known:
            raise SettingsError(
                f"there is no rule {name!r}", hint=f"rules: {', '.join(sorted(known))}"
            )
    chosen = tuple(
        rule for rule in RULES if (not select or rule.id in select) and rule.id not in ignore
    )
    if not chosen:
        raise SettingsError("no rule is left", hint="select one, or ignore fewer")
    return chosen
