"""The API of the testing kit for commands: people write to a program, and their answers are read."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from slack_alert.bootstrap.plugin_loading import as_configured, defaults
from slack_alert.core.catalog import Catalog, Problem
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, ButtonPress, ChatMessage, ReplyTo
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.record import Record
from slack_alert.core.structs import replace
from slack_alert.loader import unload
from slack_alert.loader.files.discovery import PACKAGE
from slack_alert.settings import Settings
from slack_alert.stores.memory import MemoryStore
from slack_alert.testing.chat_doubles import HeldRuns, NamedPeople
from slack_alert.testing.chat_harness import ChatHarness, Shown
from slack_alert.testing.chat_settings import ChatSettings
from slack_alert.testing.loading import FaultyPluginError, PluginSource, load_path, root_of
from slack_alert.testing.manual_clock import FakeClock, forward_step, start_of

_SERVICE, _DOOR = "slack", "slack.socket"


class Answer(str):
    """The text of a message as people see it now, and what is known about it."""

    __slots__ = ("before", "buttons", "by", "thread", "to")
    #: `#ops`, `@ann`.
    to: str
    #: The thread it is in, to be given to `says`; empty: it is in none.
    thread: str
    #: Who asked; empty: nobody did.
    by: str
    #: Its earlier texts.
    before: tuple[str, ...]
    #: What its buttons do, as `presses` takes it: `ack ops.disk`.
    buttons: tuple[str, ...]

    def __new__(  # noqa: PYI034 - `Self` comes with Python 3.11
        cls,
        text: str,
        *,
        to: str = "",
        thread: str = "",
        by: str = "",
        before: Iterable[str] = (),
        buttons: Iterable[str] = (),
    ) -> Answer:
        """Make an answer."""
        made = super().__new__(cls, text)
        made.to, made.thread, made.by = to, thread, by
        made.before, made.buttons = tuple(before), tuple(buttons)
        return made


@dataclass(frozen=True, slots=True)
class Queued:
    """A command that runs, waits in line, or is for later."""

    run: int
    #: The line as one would type it.
    command: str
    by: str
    #: `running`, `waiting` or `later`.
    state: str


class ChatRehearsal:
    """A program that takes commands on a virtual clock: the real words, rights, queue, answers and record.

    No network, no waiting; the database is in memory. A function is called to its end as soon as its run starts, unless
    the test holds it. Only one may exist in a process; `close` unloads the plugins. The pytest fixture `chat` is one.
    """

    people: NamedPeople
    _folder: TemporaryDirectory[str] | None
    _root: Path
    _catalog: Catalog | None
    #: The program, once it has started.
    _harness: ChatHarness | None
    _store: MemoryStore
    _clock: FakeClock
    _settings: ChatSettings
    _holds: list[HeldRuns]
    #: How many messages people have written.
    _messages: int
    #: Who began which thread.
    _asked_by: dict[str, str]

    def __init__(self, look_in: Sequence[Path] = (Path(),)) -> None:
        self._source = PluginSource(look_in)
        self._clear()

    def load(
        self,
        source: str | Path,
        *,
        name: str = "plugin",
        start: datetime | str | None = None,
        timezone: str = "UTC",
        channel: str = "#alerts",
        config: str | Path | None = None,
    ) -> Catalog:
        """Load a plugin file, a folder of them, or the text of a file; what was loaded and set before is forgotten.

        A text (a string with a line break) becomes the file `plugins/<name>.py`. Time begins at `start`, by default a
        Monday at 09:00, in `timezone`. `config` is a file of settings (or its text) whose roles, permissions, queues
        and commands hold; people in it are ids.
        """
        self.close()
        self._folder = TemporaryDirectory(prefix="slack-alert-chat-")
        if config is not None:
            self._settings.begin_with(self._source.text(config))
        else:
            self._settings.add("slack", {"channel": channel, "timezone": timezone})
        path = self._source.find(source, name)
        self._root = root_of(path)
        settings = self._read(with_rights=False)
        options = replace(defaults(settings), now=None)
        catalog = load_path(path, options)
        known = {binding.name for binding in catalog.bindings}
        more = [command for command in options.commands if command.name not in known]
        self._catalog = replace(catalog, bindings=(*more, *catalog.bindings))
        self._clock = FakeClock(start_of(start, settings.timezone))
        return self._catalog

    # --- who may

    def roles(self, **roles: str | Iterable[str]) -> None:
        """Say who has a role: `roles(ops=["ann", "bob"], release="cat")`; before anybody says something."""
        self._check_open()
        for role, members in roles.items():
            self._settings.add_people("roles", role, members)

    def permissions(self, *lines: str) -> None:
        """Add lines of `[permissions]`: `permissions("deploy env:prod = release")`; before anybody says something."""
        self._check_open()
        for line in lines:
            key, equals, value = line.rpartition("=")
            if not equals or not key.strip():
                raise ValueError(f"{line!r} is no permission: write a command, =, and who may, as 'deploy = ops'.")
            self._settings.add("permissions", {key.strip(): value.strip()})

    def admins(self, *names: str) -> None:
        """Say who the admins are; before anybody says something."""
        self._check_open()
        self._settings.add_people("chat", "admins", names)

    def configure(self, section: str, **lines: object) -> None:
        """Set lines of another section: `configure("queues", deploy=2)`; before anybody says something."""
        self._check_open()
        self._settings.add(section, lines)

    def guest(self, *names: str) -> None:
        """Say who is a guest of the workspace; all others are members."""
        self.people.is_now(AccountStatus.GUEST, names)

    def stranger(self, *names: str) -> None:
        """Say who belongs to another workspace."""
        self.people.is_now(AccountStatus.STRANGER, names)

    def bot(self, *names: str) -> None:
        """Say who is a bot."""
        self.people.is_now(AccountStatus.BOT, names)

    def disabled(self, *names: str) -> None:
        """Say whose account is disabled."""
        self.people.is_now(AccountStatus.DISABLED, names)

    def unknown(self, *names: str) -> None:
        """Say of whom the service does not tell at present who that is."""
        self.people.is_now(AccountStatus.UNKNOWN, names)

    def member(self, *names: str) -> None:
        """Say who is a member, as all are of whom nothing else was said."""
        self.people.is_now(AccountStatus.MEMBER, names)

    def group(self, group: str, *names: str) -> None:
        """Say who is in a user group, such as `S789`."""
        self.people.is_group(group, names)

    # --- what happens

    def says(
        self,
        who: str,
        text: str,
        *,
        channel: str = "#ops",
        direct: bool = False,
        mention: bool = False,
        thread: str = "",
        written: timedelta = timedelta(),
    ) -> list[Answer]:
        """Write a message; return what it is answered, as it is now.

        `direct` is a message to the program alone; `mention` one in the channel that begins with its name; `thread`
        the thread of an earlier answer; `written` how long before it arrives.
        """
        program = self._program()
        self._messages += 1
        receipt = f"{self._messages:06}"
        to = Address(_SERVICE, f"@{who}" if direct else channel)
        thread = thread or receipt
        self._asked_by.setdefault(thread, who)
        by, at = self.people.identity(who), self._clock.now() - written
        program.take(
            ChatMessage(
                (receipt,), at, by, ReplyTo(to, thread), text, _DOOR, is_direct=direct, is_mention=mention
            )
        )  # fmt: skip
        return [answer for answer in self.answers if answer.thread == thread]

    def presses(
        self, who: str, action: str, value: str = "", *, channel: str = "#ops", thread: str = ""
    ) -> list[Answer]:
        """Press a button, such as `ack` of `disk.usage`; return what it is answered."""
        program = self._program()
        self._messages += 1
        receipt = f"{self._messages:06}"
        thread = thread or receipt
        self._asked_by.setdefault(thread, who)
        by, to = self.people.identity(who), ReplyTo(Address(_SERVICE, channel), thread)
        program.take(ButtonPress((receipt,), self._clock.now(), by, to, _DOOR, action, value))
        return [answer for answer in self.answers if answer.thread == thread]

    def advance(
        self,
        by: timedelta = timedelta(),
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """Let time pass: later runs and jobs come due, and what takes long is told; a function may call this, too."""
        step = forward_step(by, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._program().advance(step)

    @contextmanager
    def held(self, *names: str) -> Iterator[HeldRuns]:
        """Hold the runs of commands, given by their words, or of all that was loaded, until the end of the block.

        They have begun, and their functions are not called yet. `release()` of what this yields lets one go on before.
        """
        program = self._program()
        hold = HeldRuns(program.full_names(names), lambda: self._program().settle())
        self._holds.append(hold)
        try:
            yield hold
        finally:
            self._holds.remove(hold)
        self._program().settle()

    def cancel(self, run: int, by: str = "ann") -> None:
        """Cancel a run, as `slack-alert cancel` does; in the chat it takes the right to."""
        program = self._program()
        if run not in {one.number for one in program.open()}:
            numbers = ", ".join(f"{one.run} ({one.command})" for one in self.queue) or "nothing"
            raise LookupError(f"There is no run {run} that waits or goes on. These do: {numbers}.")
        program.cancel(run, by)

    def restart(self) -> None:
        """End the program in order, and start it again; what was said about rights may be changed before it says more.

        What runs is interrupted; what waits goes on.
        """
        program, self._harness = self._program(), None
        program.stop()

    def crash(self) -> None:
        """Kill the program, and start it again."""
        program, self._harness = self._program(), None
        program.kill()
        self._program().settle()

    def perform(self, transcript: str) -> str:
        """Return a transcript with what is really said in it: `assert chat.perform(text) == text`.

        See `slack_alert.testing.transcript` for what may be in it.
        """
        from slack_alert.testing.transcript import perform

        return perform(self, transcript)

    # --- what is seen

    @property
    def answers(self) -> list[Answer]:
        """All messages of the program, in order, as people see them now."""
        texts: dict[str, list[Shown]] = {}
        for each in self.shown:
            texts.setdefault(each.key, []).append(each)
        return [
            Answer(
                seen[-1].text,
                to=seen[0].to,
                thread=seen[0].thread,
                by=self._asked_by.get(seen[0].thread, ""),
                before=[each.text for each in seen[:-1]],
                buttons=seen[-1].buttons,
            )
            for seen in texts.values()
        ]

    @property
    def shown(self) -> list[Shown]:
        """All that was posted, and all edits, in order."""
        return self._program().shown()

    @property
    def queue(self) -> list[Queued]:
        """What runs, then what waits in line, then what is for later."""
        found = []
        for one in self._program().open():
            is_later = one.run is None and not one.queued.is_in_line(self._clock.now())
            state = "later" if is_later else "waiting" if one.run is None else "running"
            found.append(Queued(one.number, one.asked.words, one.asked.by.name, state))
        return sorted(found, key=lambda one: ("running", "waiting", "later").index(one.state))

    @property
    def history(self) -> list[Record]:
        """The records of all runs, of commands and of jobs, in order."""
        self._program()
        return [line.record for line in self._store.history(job=None, since=None, limit=None)]

    @property
    def audit(self) -> list[AuditEntry]:
        """The record of what was asked for, in order."""
        self._program()
        return [each.entry for each in self._store.audit(since=None, limit=None) if each.entry is not None]

    @property
    def now(self) -> datetime:
        """The time, in the configured time zone."""
        return self._clock.now().astimezone(self._program().settings.timezone)

    @property
    def problems(self) -> list[Problem]:
        """The problems that `slack-alert check` would list, those of the permissions included."""
        return list(as_configured(self._read(), self._loaded()).problems)

    def module(self, name: str) -> ModuleType:
        """Return a plugin's module by its name, such as `ops`, to replace its globals."""
        self._loaded()
        return importlib.import_module(f"{PACKAGE}.{name}")

    def asker_of(self, thread: str) -> str:
        """Return who began a thread; empty: the program did."""
        return self._asked_by.get(thread, "")

    def close(self) -> None:
        """Unload the plugins and delete the temporary files."""
        if self._harness is not None:
            self._harness.kill()
        unload()
        self._source.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._clear()

    def _clear(self) -> None:
        self._folder = self._catalog = self._harness = None
        self._root = Path()
        self._store, self._clock = MemoryStore(), FakeClock()
        self._holds, self._messages, self._asked_by = [], 0, {}
        self.people = NamedPeople()
        self._settings = ChatSettings(self.people.knows, self.people.id_of)

    def _loaded(self) -> Catalog:
        if self._catalog is None:
            raise LookupError('Nothing is loaded yet: call load("plugins/ops.py"), or load the text of a plugin.')
        return self._catalog

    def _check_open(self) -> None:
        self._loaded()
        if self._harness is not None:
            raise RuntimeError(
                "The program runs already, and who may do what is read at its start: say it before the first message, "
                "or call restart() before."
            )

    def _program(self) -> ChatHarness:
        """Return the program, which starts at its first use; raise FaultyPluginError if what was loaded has errors."""
        if self._harness is None:
            settings = self._read()
            catalog = as_configured(settings, self._loaded())
            if catalog.has_errors:
                raise FaultyPluginError(catalog.problems)
            self._harness = ChatHarness(
                catalog, settings, store=self._store, clock=self._clock, people=self.people, holds=self._holds
            )
        return self._harness

    def _read(self, *, with_rights: bool = True) -> Settings:
        if self._folder is None:
            self._loaded()
        assert self._folder is not None, "something is loaded"
        return self._settings.read(Path(self._folder.name).resolve(), self._root, with_rights=with_rights)


@contextmanager
def chat(*look_in: Path) -> Iterator[ChatRehearsal]:
    """Yield a rehearsal of commands, without pytest; plugins are looked for in these folders, or in the present one."""
    with closing(ChatRehearsal(look_in or (Path(),))) as rehearsal:
        yield rehearsal
