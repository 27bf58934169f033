"""Parse a configuration file into entries with line numbers; the meaning of keys is not known here.

Not configparser: it drops the line numbers that errors need, and it would read `channel = #ops` as a comment.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from slack_alert.core.errors import SettingsError
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import PrivateStruct, Struct, field
from slack_alert.settings.paths import read_file
from slack_alert.settings.secret import masked, settings_error


class ConfEntry(PrivateStruct, frozen=True):
    """A key of a file, its value without comment and quotes."""

    hidden = frozenset({"value"})

    section: str
    key: str
    value: str
    line: int


class UnreadableFile(SettingsError):
    """This user may not read a configuration file."""


class ConfFile(Struct, frozen=True):
    """The parsed content of a file."""

    #: The path as it is shown to people.
    shown: str
    path: Path
    sections: tuple[tuple[str, int], ...]
    entries: tuple[ConfEntry, ...]
    warnings: tuple[str, ...]
    #: Whether other users of this machine can read it.
    is_open: bool


def read_conf(path: Path, shown: str, *, posix: bool) -> ConfFile:
    """Return the content of a file; raise SettingsError, with the line, if it cannot be read or parsed."""
    try:
        raw = read_file(path)
        mode = path.stat().st_mode
    except PermissionError as error:
        raise UnreadableFile(
            f"The file cannot be read ({error.strerror}).", where=masked(shown), hint=_ask_owner(path)
        ) from None
    except OSError as error:
        hint = _MEND_LINK if path.is_symlink() else _MAKE_FILE
        raise settings_error(f"The file cannot be read ({error.strerror}).", where=shown, hint=hint) from None
    draft = _Draft(shown)
    for number, line in enumerate(_LINE_END.split(_decode(raw, shown)), start=1):
        draft.feed(line, number)
    return ConfFile(
        shown,
        path,
        tuple(draft.sections),
        tuple(draft.finish()),
        tuple(draft.warnings),
        is_open=posix and bool(mode & 0o077),
    )


def without_comment(text: str) -> str:
    """Return a value without its comment and the quotes around it; text in quotes holds no comment."""
    enclosed = _QUOTED.fullmatch(text.strip())
    return enclosed[2] if enclosed else _COMMENT.split(text, maxsplit=1)[0].strip()


def _ask_owner(path: Path) -> str:
    try:
        owner = path.owner()
    except KeyError:
        owner = f"#{path.stat().st_uid}"  # As sudo writes it.
    except (OSError, NotImplementedError):  # Windows has no owner.
        return "Give this user the right to read it."
    ask = f"Ask as {owner}, to whom it belongs (sudo -u {quote(owner)} slack-alert ...)"
    return f"{ask}, or give this user the right to read it."


_KEEP_ONE = "Keep one of the two (dashes and underscores are the same)."
_MEND_LINK = "Mend the link, or remove it."
_MAKE_FILE = "Make it a file that this user may read, or remove it."
_LINE_END = lazy_pattern(r"\r\n|\r|\n")
_COMMENT = lazy_pattern(r"\s#(?=\s|$)")
_QUOTED = lazy_pattern(r"(['\"])(.*?)\1(?:\s+#(?:\s.*)?)?")
_HEADER = lazy_pattern(r"\[([^\[\]]*)\](?:\s+#(?:\s.*)?)?")
#: The second group is a channel that the key is for: `prefix.#deploys`.
_KEY = lazy_pattern(r"\s*([A-Za-z][A-Za-z0-9_-]*)(\.[#\w-]+)?\s*=(.*)")
#: In a section whose keys are kept as they are written, `=` has white space on both sides.
_KEPT_KEY = lazy_pattern(r"\s*(\S.*?)\s+=(?=\s|$)(.*)")
_KEEPING = frozenset({"roles", "permissions", "people", "jenkins.services", "channels", "queues", "routes"})
_KEEPING_ALL = ("owners.",)
_BLANKS = lazy_pattern(r"""("[^"]*"|'[^']*')|\s+""")
_COLON = lazy_pattern(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*:")


def _decode(raw: bytes, shown: str) -> str:
    if b"\0" in raw:
        raise settings_error("The file is not text.", where=shown, hint="Save the file as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.split(raw[: error.start].decode("latin-1")))
        # `from None`: the error's repr holds the whole file, the token included.
        raise settings_error(
            f"Byte 0x{raw[error.start]:02x} is not UTF-8.", where=f"{shown}:{line}", hint="Save the file as UTF-8."
        ) from None


class _Draft(Struct):
    """Parses a file line by line; holds what it has read so far."""

    shown: str
    sections: list[tuple[str, int]] = field(default_factory=list)
    entries: list[ConfEntry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    #: Whether an indented line continues the value of the line before.
    is_continuable: bool = False

    def feed(self, line: str, number: int) -> None:
        stripped = line.strip()
        if not stripped:
            self.is_continuable = False
        elif stripped[0] in "#;":
            return
        elif stripped[0] == "[":
            self._open_section(stripped, number)
        elif self._keeps_keys() and (match := _KEPT_KEY.fullmatch(line)):
            self._add(_BLANKS.sub(lambda blank: blank[1] or " ", match[1]), match[2], number)
        elif not self._keeps_keys() and (match := _KEY.fullmatch(line)):
            self._add(match[1].lower().replace("-", "_") + (match[2] or ""), match[3], number)
        elif line[0].isspace() and self.is_continuable:
            self._continue(line)
        else:
            raise self._not_a_setting(line, number)

    def finish(self) -> list[ConfEntry]:
        self._close()
        return self.entries

    def _open_section(self, stripped: str, number: int) -> None:
        match = _HEADER.fullmatch(stripped)
        if match is None:
            raise settings_error(
                "The line begins with [ but is no section.", where=self._at(number), hint="Write [slack] on its own."
            )
        self._close()
        self.sections.append((match[1].strip(), number))

    def _keeps_keys(self) -> bool:
        section = self.sections[-1][0] if self.sections else ""
        return section in _KEEPING or section.startswith(_KEEPING_ALL)

    def _add(self, name: str, text: str, number: int) -> None:
        self._close()
        if not self.sections:
            raise settings_error(
                f"There is no section above {name}.", where=self._at(number), hint="Put the line [slack] above it."
            )
        place = (self.sections[-1][0], name)
        if place in self.seen:
            raise settings_error(
                f"{name} is set twice, here and in line {self.seen[place]}.",
                where=self._at(number),
                hint="Keep one of the two." if self._keeps_keys() else _KEEP_ONE,
            )
        self.seen[place] = number
        self.entries.append(ConfEntry(place[0], name, "", number))
        self.is_continuable = True
        self._continue(text)

    def _continue(self, text: str) -> None:
        value = without_comment(text)
        self.parts.append(value)
        if text.strip()[:1] in {"'", '"'} and value[:1] == text.strip()[0]:
            last = self.entries[-1]
            self.warnings.append(
                f"{self._at(last.line)}: {last.key} begins with a quote that is not closed; it is part of the value."
            )

    def _close(self) -> None:
        """Set the value of the last entry from its lines, joined by spaces."""
        if self.parts:
            last = self.entries[-1]
            value = " ".join(part for part in self.parts if part)
            self.entries[-1] = ConfEntry(last.section, last.key, value, last.line)
        self.parts = []
        self.is_continuable = False

    def _not_a_setting(self, line: str, number: int) -> Exception:
        # The line itself is not shown: it may be a token without its key.
        if self._keeps_keys() and "=" in line:
            return settings_error(
                "The = has no white space around it.",
                where=self._at(number),
                hint=f"Write `key = ...`: in [{self.sections[-1][0]}] a key may hold a = of its own.",
            )
        match = _COLON.match(line)
        key = match[1] if match else "key"
        return settings_error(
            "The line is neither a section, a comment nor `key = value`.",
            where=self._at(number),
            hint=f"Write `{key} = ...`, or begin the line with # to make it a comment.",
        )

    def _at(self, number: int) -> str:
        return f"{self.shown}:{number}"
