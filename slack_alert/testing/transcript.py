"""Perform a conversation that is written down, and write down what really happens.

```
[roles]
ops = ann, bob
---
09:00:00 ann: !deploy shop prod
09:00:00 bot to ann: done
    shop is on prod
(5 minutes pass)
09:05:00 bob in #random: !deploy blog
```

What stands before `---` are settings, in which people have their names. The lines of `bot` are what is compared:
`perform` leaves them out and writes down its own. The lines in brackets are what happens besides; see `_DIRECTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import ExitStack
from datetime import timedelta

from slack_alert.testing.chat_doubles import HeldRuns
from slack_alert.testing.chat_harness import Shown
from slack_alert.testing.chat_rehearsal import ChatRehearsal

#: The name that the program has in a transcript.
BOT = "bot"
_HEAD_END = "---"


def perform(chat: ChatRehearsal, text: str) -> str:
    """Return a transcript with what the program really says in it; the chat has its plugins loaded.

    It is equal to `text` where all is as written. Raise ValueError for a line that says nothing that can be performed.
    """
    head, separator, story = text.partition(f"{_HEAD_END}\n")
    if not separator:
        head, story = "", text
    _configure(chat, head)
    return head + separator + _Performance(chat).play(story)


def _configure(chat: ChatRehearsal, head: str) -> None:
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",), strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names are as they are written
    # What comes before the first section is for people.
    parser.read_string(head[head.find("[") :] if "[" in head else "")
    for section in parser.sections():
        for key, value in parser.items(section):
            if section == "roles":
                chat.roles(**{key: value})
            elif section == "permissions":
                chat.permissions(f"{key} = {value}")
            elif (section, key) == ("chat", "admins"):
                chat.admins(*re.split(r"[\s,]+", value))
            else:
                chat.configure(section, **{key: value})


class _Performance:
    """Plays a story line by line."""

    def __init__(self, chat: ChatRehearsal) -> None:
        self._chat = chat
        self._told = 0
        #: What is held, by its name, with what ends that.
        self._held: dict[str, tuple[HeldRuns, ExitStack]] = {}
        self._all = ExitStack()

    def play(self, story: str) -> str:
        """Return the story with what the program says."""
        written: list[str] = []
        with self._all:
            for number, line in enumerate(story.splitlines(), 1):
                if _IS_OF_BOT.match(line):
                    continue
                written.append(self._now_at(line))
                self._perform(line, number)
                written += self._new()
        written += self._new()
        return "".join(f"{line}\n" for line in written)

    def _now_at(self, line: str) -> str:
        """Return a person's line with the time at which it is written."""
        said = _SAID.fullmatch(line)
        return line if said is None else f"{self._chat.now:%H:%M:%S} {said['said']}"

    def _perform(self, line: str, number: int) -> None:
        if not line.strip() or line.startswith("#"):
            return
        if said := _SAID.fullmatch(line):
            channel = said["channel"] or "#ops"
            self._chat.says(said["who"], said["text"], channel=channel, direct=said["direct"] is not None)
            return
        for pattern, direct in _DIRECTIONS:
            if found := pattern.fullmatch(line.strip()):
                direct(self, found)
                return
        raise ValueError(f"line {number}: {line!r} is neither said by somebody (ann: !deploy) nor happens (…).")

    def _new(self) -> Iterator[str]:
        shown = self._chat.shown
        new, self._told = shown[self._told :], len(shown)
        for each in new:
            yield from self._lines(each)

    def _lines(self, shown: Shown) -> Iterator[str]:
        to = self._chat.asker_of(shown.thread) or shown.to
        at = shown.at.astimezone(self._chat.now.tzinfo)
        first, *rest = shown.text.splitlines() or [""]
        yield f"{at:%H:%M:%S} {BOT} to {to}{', edited' if shown.is_edit else ''}: {first}".rstrip()
        yield from (f"    {line}".rstrip() or "    |" for line in rest)

    def pass_time(self, found: re.Match[str]) -> None:
        unit = found["unit"].removesuffix("s") + "s"
        self._chat.advance(timedelta(**{unit: float(found["count"])}))

    def hold(self, found: re.Match[str]) -> None:
        name = found["name"]
        names = () if name == "everything" else (name,)
        block = self._all.enter_context(ExitStack())
        self._held[name] = block.enter_context(self._chat.held(*names)), block

    def go_on(self, found: re.Match[str]) -> None:
        name = found["name"]
        if name not in self._held:
            raise ValueError(f"{found[0]}: it is not held; write ({name} is held) before.")
        hold, block = self._held[name]
        if found["one"]:
            hold.release()
        else:
            del self._held[name]
            block.close()

    def kill(self, _: re.Match[str]) -> None:
        self._chat.crash()

    def restart(self, _: re.Match[str]) -> None:
        self._chat.restart()

    def press(self, found: re.Match[str]) -> None:
        self._chat.presses(found["who"], found["action"], found["value"] or "")

    def cancel(self, found: re.Match[str]) -> None:
        self._chat.cancel(int(found["run"]), by=found["who"])

    def be(self, found: re.Match[str]) -> None:
        getattr(self._chat, found["what"])(found["who"])


_SAID = re.compile(
    rf"(?:\d\d:\d\d:\d\d )?(?P<said>(?P<who>(?!{BOT}\b)\w+)"
    r"(?:(?P<direct>, directly)| in (?P<channel>#\S+))?: (?P<text>.*))"
)
_IS_OF_BOT = re.compile(rf"\d\d:\d\d:\d\d {BOT} |    ")
_DIRECTIONS: tuple[tuple[re.Pattern[str], Callable[[_Performance, re.Match[str]], None]], ...] = (
    (re.compile(r"\((?P<count>\d+) (?P<unit>seconds?|minutes?|hours?|days?) pass(?:es)?\)"), _Performance.pass_time),
    (re.compile(r"\((?P<name>.+) (?:is|are) held\)"), _Performance.hold),
    (re.compile(r"\((?P<one>one )?(?P<name>.+) goes on\)"), _Performance.go_on),
    (re.compile(r"\(the program is killed, and starts again\)"), _Performance.kill),
    (re.compile(r"\(the program ends, and starts again\)"), _Performance.restart),
    (re.compile(r"\((?P<who>\w+) presses (?P<action>\S+)(?: (?P<value>.+))?\)"), _Performance.press),
    (re.compile(r"\((?P<who>\w+) cancels (?P<run>\d+)\)"), _Performance.cancel),
    (re.compile(r"\((?P<who>\w+) is a (?P<what>guest|stranger|bot|member)\)"), _Performance.be),
)
