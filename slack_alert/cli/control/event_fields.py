"""Parse fields of events as people type them, `size=12`; shared by `emit` and `trigger`."""

from __future__ import annotations

import json

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import composed

#: A number without a leading zero, as `bc` prints it.
_SHORT = lazy_pattern(r"^\s*(-?)\.(\d+)\s*$")


def parse_field(text: str) -> tuple[str, object]:
    """Return the name and the value of `FIELD=VALUE`; raise BadValue if there is no name or no `=`."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise BadValue(f"{text!r} is no field.", hint="Write each as FIELD=VALUE: size=12.")
    return composed(name.strip()), _value(value)


def _value(text: str) -> object:
    try:
        found = json.loads(_SHORT.sub(r"\g<1>0.\2", text))
    except (ValueError, RecursionError):
        return text
    # JSON knows no NaN and no infinity; Python's reader does.
    return found if not isinstance(found, float) or found - found == 0 else text
