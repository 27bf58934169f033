"""The configuration of a test's program: what the test says of it, as a file of the usual kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from slack_alert.core.commands.roles import BUILT_IN
from slack_alert.settings import KEYS, Settings, load_settings

#: What names people rather than numbers or channels.
RIGHTS = ("roles", "permissions", "people")
FILE = "slack_alert.conf"


class ChatSettings:
    """Collects the lines of sections; names of people become their ids."""

    def __init__(self, knows: Callable[[str], bool], id_of: Callable[[str], str]) -> None:
        self._knows = knows
        self._id_of = id_of
        self._written = ""
        self._sections: dict[str, dict[str, str]] = {}

    def add(self, section: str, lines: Mapping[str, object]) -> None:
        """Add lines to a section; a later line replaces one with the same left side."""
        known = self._sections.setdefault(section, {})
        for key, value in lines.items():
            known[key] = str(value)

    def begin_with(self, text: str) -> None:
        """Begin with the text of a file; what is added comes besides."""
        self._written = text

    def add_people(self, section: str, key: str, members: str | Iterable[str]) -> None:
        """Add a line that names people, who are known from then on."""
        words = re.split(r"[\s,]+", members.strip()) if isinstance(members, str) else list(members)
        for word in words:
            if not self._is_other(word):
                self._id_of(word)
        self.add(section, {key: ", ".join(words) or "nobody"})

    def read(self, folder: Path, root: Path, *, with_rights: bool = True) -> Settings:
        """Return the settings of a program with the plugins below `root`; its own files are in `folder`."""
        file = folder / FILE
        file.write_text(self._text(with_rights=with_rights), encoding="utf-8")
        file.chmod(0o600)
        # By its name alone, as it is told in answers.
        flags = {
            "config": Path(FILE),
            "path": root,
            "ignore_global_config": True,
            "database": f"sqlite:///{folder}/state.db",
        }
        # Files of secrets are where the program runs, and not where it is tested.
        secrets = {key.variable: "test" for key in KEYS if key.kind == "secret" and key.written in self._written}
        environ = {**secrets, "TZ": "UTC", "SLACK_ALERT_TOKEN": "xoxb-0-test"}
        return load_settings(flags, environ, cwd=folder, home=None).settings

    def _text(self, *, with_rights: bool) -> str:
        lines = [self._written]
        for section, known in self._sections.items():
            if with_rights or section not in RIGHTS:
                lines += [f"[{section}]", *(f"{key} = {self._value(section, key)}" for key in known)]
        return "\n".join(filter(None, lines)) + "\n"

    def _value(self, section: str, key: str) -> str:
        value = self._sections[section][key]
        if section not in RIGHTS and key not in {"admins", "may_use"}:
            return value
        who = re.split(r"\s+in\s+", value, maxsplit=1)[0]
        return re.sub(r"[^\s,]+", lambda word: self._with_id(word[0]), who) + value[len(who) :]

    def _with_id(self, word: str) -> str:
        return self._id_of(word) if not self._is_other(word) and self._knows(word) else word

    def _is_other(self, word: str) -> bool:
        """Return whether a word names a role, a group, or an account of another service."""
        is_group = re.fullmatch(r"S[A-Z0-9]*\d[A-Z0-9]*", word) is not None
        return is_group or ":" in word or word in BUILT_IN or word in self._sections.get("roles", {})
