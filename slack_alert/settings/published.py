"""The settings that a running program publishes for commands beside it, without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct
from slack_alert.settings.keys import KEYS, Key
from slack_alert.settings.model import LoadedSettings, TimezoneSource
from slack_alert.settings.value_sources import PROJECT, QUIET, GivenValue, Layer


class PublishedSettings(Struct, frozen=True):
    """The published settings of a running program, as texts by key."""

    texts: Mapping[str, str]
    #: The origin of each value that is not a default, and the rank of that source: 0 is a flag.
    origins: Mapping[str, str]
    ranks: Mapping[str, int]
    #: The service of messages that name none: `slack` or `console`.
    service: str
    timezone_source: TimezoneSource

    def layer(self, local: LoadedSettings, *, plans: bool) -> Layer:
        """Return the layer that overrides the environment and the files of a command beside the program.

        A command that `plans` ahead takes what the project's file says now, unless the program has a stronger source:
        that is what a restart would do.
        """
        # An empty value removes a quiet window that the program does not have.
        names = {**{name: "" for name in local.given if name.startswith(QUIET)}, **self.texts}
        layer = {
            name: GivenValue(text, self.origins.get(name, "the default"), Path("/"))
            for name, text in names.items()
            if not (plans and self._is_edited(name, local))
        }
        # The program was found through this database.
        layer["database"] = GivenValue(local.settings.database, "the running program", Path("/"))
        return layer

    def _is_edited(self, name: str, local: LoadedSettings) -> bool:
        rank, given = self.ranks.get(name), local.given.get(name)
        if rank is not None and rank < PROJECT:
            return False
        return rank == PROJECT if given is None else given.place[0] == PROJECT


def encode_published(loaded: LoadedSettings, service: str) -> str:
    """Return the settings to publish as a line of JSON, for `decode_published`."""
    texts = {key.name: _text(loaded, key) for key in KEYS if key.name in _PUBLISHED and key.kind != "zone"}
    if str(loaded.settings.timezone) != _UNNAMED_ZONE:
        texts["timezone"] = str(loaded.settings.timezone)
    texts |= {name: given.text for name, given in loaded.given.items() if name.startswith(QUIET)}
    texts["path"] = str(loaded.settings.path)
    given = {name: given for name, given in loaded.given.items() if name in texts}
    # A text that contains a secret by mistake is left out: redacted it would be another value.
    clean = Redaction(loaded.settings.secrets())
    return json.dumps(
        {
            "texts": {name: text for name, text in texts.items() if clean(text) == text},
            "origins": {name: clean(one.where) for name, one in given.items()},
            "ranks": {name: one.place[0] for name, one in given.items()},
            "service": service,
            "timezone_source": loaded.settings.timezone_source,
        },
        ensure_ascii=False,
    )


def decode_published(note: str) -> PublishedSettings | None:
    """Return the published settings, or None where there are none, or another version wrote them."""
    try:
        said: dict[str, Any] = json.loads(note)  # Any: JSON that another process wrote
        texts = {str(name): str(text) for name, text in said["texts"].items()}
        known = {name: text for name, text in texts.items() if name in _PUBLISHED or name.startswith(QUIET)}
        return PublishedSettings(known, said["origins"], said["ranks"], str(said["service"]), said["timezone_source"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _text(loaded: LoadedSettings, key: Key) -> str:
    given = loaded.given.get(key.name)
    return key.default if given is None else given.text


#: Keys that are not published: they concern the log of a single process, may be secret, or go with the roles of a file.
_OWN_KEYS = frozenset({"log_level", "log_format", "database"})
_OWN_KINDS = frozenset({"secret", "url", "file", "members", "path"})
_PUBLISHED = frozenset(key.name for key in KEYS if key.kind not in _OWN_KINDS and key.name not in _OWN_KEYS)
#: The name given to a machine's zone that is a file without a name.
_UNNAMED_ZONE = "localtime"
