"""Resolve the keywords of a marker, independently of its function; equal keywords are resolved once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.commands.command import GUARD_OPTIONS, Command, Guard
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import SERVICES, Address, check_address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, Isolation, RunOptions
from slack_alert.core.policy.incidents import RepeatPolicy
from slack_alert.core.policy.quota import Policy
from slack_alert.core.schedule.combining import Jittered
from slack_alert.core.schedule.triggers import TIME_KEYWORDS, Never, Trigger, parse_trigger
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.names import composed
from slack_alert.core.units.quantities import parse_duration
from slack_alert.loader.options.never_runs import NeverRunsCheck
from slack_alert.loader.options.option_checks import (
    check,
    find_zone,
    parse_commands,
    parse_guarded,
    parse_lock,
    parse_pause_time,
    parse_queue,
    parse_texts,
    read_absence,
    read_repeat_policy,
    read_rule,
    read_run_options,
)
from slack_alert.loader.parsing.declaration import Declaration
from slack_alert.loader.parsing.literals import COMMAND_KEYWORDS, LATER_KEYWORDS, NEEDED_KEYWORDS, OPTION_KEYWORDS

if TYPE_CHECKING:
    from slack_alert.core.pack import PackSettings

Words = Mapping[str, object]
#: Whether a declaration is timed, sound, and a sensor that runs for ever.
_Kind = tuple[bool, bool, bool]
#: Keywords that contradict `absent`, because they too say when a function runs.
_UNLIKE_ABSENT = frozenset([*TIME_KEYWORDS, "start", "end", "jitter", "at_start"])
#: Keywords that say which events a rule wants, and those that say what becomes of one, which none has with `absent`.
_OF_EVENTS = ("at_most", "collect", "otherwise", "params")
#: The keyword to which another one belongs.
_COMPANIONS = {
    **dict.fromkeys(["where", "any", "all", "not_", "within", *_OF_EVENTS], ("on", 'Add on="changed_file".')),
    "dedup": ("emits", 'Add emits="changed_file".'),
    "hidden": ("command", 'Add command="disk".'),
}
_UNLIKE_GUARD = frozenset([*TIME_KEYWORDS, *COMMAND_KEYWORDS, "command", "on", "emits", "hidden"])
#: Keywords of runs that begin at a time, and end.
_UNLIKE_ENDLESS = frozenset(
    [
        "start",
        "end",
        "jitter",
        "at_start",
        "working_hours",
        "catch_up",
        "timeout",
        "retries",
        "retry_delay",
        "cpu_limit",
    ]
)
_EMITS = "Add seconds=30, or another time keyword; or yield what it notices."
#: They hold for a process of its own.
_LIMITS = ("memory_limit", "cpu_limit")
_CATCH_UP = "Take it out, or give the job a cron, an at or whole days: an interval goes on by itself."


class OptionDefaults(Struct, frozen=True):
    """The configuration's values for jobs whose marker does not set them."""

    zone: tzinfo
    #: As text: it is parsed for the zone of each job.
    working_hours: str
    #: 0: no limit.
    max_alert: int
    pause_time: timedelta
    #: Keep a paused job running and withhold its messages.
    mutes: bool
    to: Address
    errors_to: Address
    #: The names that are markers; empty: any name.
    markers: tuple[str, ...] = ()
    run_options: RunOptions = DEFAULT_OPTIONS
    #: The service of an address that names none, those that there are, and the robots of DingTalk.
    channel: str = "slack"
    services: tuple[str, ...] = SERVICES
    robots: tuple[str, ...] = ()
    #: Commands that no plugin file declares: those of the configuration.
    commands: tuple[Command, ...] = ()
    #: The words of the verbs built in.
    built_in: frozenset[str] = frozenset()
    #: What the configuration says of packs; None: nothing.
    packs: PackSettings | None = None
    #: The time after which a job must have a slot, or it is reported as never running; None: this is not checked.
    now: datetime | None = None


class ResolvedOptions(Struct, frozen=True):
    """The meaning of the keywords of a marker."""

    #: The faults, each with a hint.
    faults: tuple[tuple[str, str], ...] = ()
    #: Keywords that have no effect in this version.
    later: tuple[str, ...] = ()
    #: Why the job never runs.
    never: str | None = None
    #: Functions that make a job and a command from a name and an action.
    makers: tuple[Callable[[str, Action], Binding], ...] = ()


class OptionResolver(Struct):
    """Resolves the keywords of all markers; equal parts are created once and shared."""

    defaults: OptionDefaults
    _never_runs: NeverRunsCheck | None = None
    _known: dict[tuple[str, _Kind], ResolvedOptions] = field(default_factory=dict)
    _same: dict[tuple[int, _Kind], tuple[Words, ResolvedOptions]] = field(default_factory=dict)
    _zones: dict[str, tzinfo] = field(default_factory=dict)
    _hours: dict[tuple[str, tzinfo], WorkingHours] = field(default_factory=dict)
    _policies: dict[tuple[WorkingHours, int, timedelta, bool, RepeatPolicy], Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._never_runs = NeverRunsCheck(self.defaults.now) if self.defaults.now else None

    def resolve(self, declaration: Declaration) -> ResolvedOptions:
        """Return the meaning of the keywords of a marker."""
        words, kind = declaration.keywords, (declaration.is_timed, declaration.is_sound, declaration.is_endless)
        # The cache returns equal keywords as one object, and their `repr` takes longer than everything else here.
        same = id(words), kind
        if same not in self._same:
            # As text, because 1 and True are equal and lists are not hashable.
            key = repr(words), kind
            if key not in self._known:
                self._known[key] = self._read(words, declaration)
            # Keep the object alive, or its id would be reused.
            self._same[same] = words, self._known[key]
        return self._same[same][1]

    def _read(self, words: Words, kind: Declaration) -> ResolvedOptions:
        faults: list[tuple[str, str]] = []
        zone = self._zone(words, faults)
        faults.extend(self._bad_options(words, zone))
        faults.extend(self._bad_addresses(words))
        if kind.is_sound:
            faults.extend(_missing_companions(words, is_timed=kind.is_timed, is_endless=kind.is_endless))
            faults.extend(self._unlimited(words, is_endless=kind.is_endless))
        if faults or not kind.is_sound:
            return ResolvedOptions(tuple(faults))
        try:
            # Jitter depends on the name of the job, which is set later.
            trigger = parse_trigger(words, zone=zone, name="")
        except BadValue as error:
            return ResolvedOptions(((str(error), error.hint),))
        if words.get("catch_up") and not (trigger and trigger.by_wall_clock):
            return ResolvedOptions(
                (("catch_up means nothing here: only a slot by the wall clock is made up for", _CATCH_UP),)
            )
        policy = self._policy(words, zone)
        trigger = trigger or read_absence(words, policy.hours)
        never = None
        if trigger and self._never_runs and words.get("enabled") is not False:
            never = self._never_runs.never(trigger, policy.hours)
        later = tuple(word for word in words if _is_later(word, words))
        makers = self._makers(words, trigger, policy, zone, is_endless=kind.is_endless)
        return ResolvedOptions((), later, never, tuple(makers))

    def _zone(self, words: Words, faults: list[tuple[str, str]]) -> tzinfo:
        if "timezone" not in words:
            return self.defaults.zone
        named = words["timezone"]
        try:
            key = str(named)
            if key not in self._zones:
                self._zones[key] = find_zone(named)
            return self._zones[key]
        except BadValue as error:
            faults.append((f"timezone: {error}", error.hint))
            return self.defaults.zone

    def _bad_options(self, words: Words, zone: tzinfo) -> Iterator[tuple[str, str]]:
        for keyword, value in words.items():
            if keyword == "timezone":
                continue
            try:
                check(keyword, value, zone)
                if keyword in ("working_hours", "within"):
                    self._working_hours(str(value), zone)
            except BadValue as error:
                yield str(error), error.hint

    def _makers(
        self, words: Words, trigger: Trigger | None, policy: Policy, zone: tzinfo, *, is_endless: bool
    ) -> Iterator[Callable[[str, Action], Binding]]:
        options = {keyword: value for keyword, value in words.items() if keyword in OPTION_KEYWORDS}
        rule = read_rule(words, lambda text: self._working_hours(text, zone))
        if trigger or rule or is_endless:
            run_options = self._run_options(words, is_endless=is_endless)
            job = partial(
                Job,
                trigger=trigger or Never(),
                policy=policy,
                to=self._address(words.get("to"), self.defaults.to),
                errors_to=self._address(words.get("errors_to"), self.defaults.errors_to),
                zone=zone,
                at_start=words.get("at_start") is True,
                emits=tuple(dict.fromkeys(map(composed, parse_texts(words["emits"])))) if "emits" in words else (),
                dedup=str(words.get("dedup", "")),
                rule=rule,
                run_options=run_options,
                has_baseline=words.get("baseline") is True,
                catch_up=parse_duration(words.get("catch_up", 0)),
                options=options,
            )
            yield _jittered(job, trigger) if isinstance(trigger, Jittered) else job
        if "command" in words and not any(_is_needed(word, words) for word in words):
            yield self._command(words, options)
        if "guard" in words:
            # In this process, and with a limit, whatever holds for jobs: somebody waits for the answer.
            limit = parse_duration(words["timeout"]) if words.get("timeout") is not None else GUARD_OPTIONS.timeout
            run_options = replace(GUARD_OPTIONS, timeout=limit)
            yield partial(Guard, words=parse_guarded(words["guard"]), run_options=run_options, options=options)

    def _unlimited(self, words: Words, *, is_endless: bool) -> Iterator[tuple[str, str]]:
        """Yield a fault for a limit of a process where the function has none of its own."""
        isolation = (
            Isolation.PROCESS.value if is_endless else words.get("isolation", self.defaults.run_options.isolation)
        )
        for limit in _LIMITS if str(isolation).lower() != Isolation.PROCESS.value else ():
            if limit in words:
                yield f"{limit} holds for a process of its own, and there is none", 'Add isolation="process".'

    def _run_options(self, words: Words, *, is_endless: bool) -> RunOptions:
        """Return the run options; what runs for ever has a process of its own, which no limit of time ends."""
        if not is_endless:
            return read_run_options(words, self.defaults.run_options)
        run_options = read_run_options({**words, "isolation": Isolation.PROCESS.value}, self.defaults.run_options)
        return replace(run_options, timeout=None, retries=0, cpu=None, is_endless=True)

    def _command(self, words: Words, options: Words) -> Callable[[str, Action], Binding]:
        name, *aliases = parse_commands(words["command"])
        return partial(
            Command,
            words=name,
            aliases=tuple(aliases),
            allow=parse_texts(words["allow"]) if "allow" in words else (),
            queue=parse_queue(words.get("queue", "default")),
            lock=parse_lock(words["lock"])[0] if "lock" in words else "",
            is_hidden=words.get("hidden") is True,
            errors_to=self._address(words["errors_to"], self.defaults.errors_to) if "errors_to" in words else None,
            run_options=read_run_options(words, self.defaults.run_options),
            options=options,
        )

    def _policy(self, words: Words, zone: tzinfo) -> Policy:
        limit, pause = words.get("max_alert"), words.get("pause_time")
        repeat_policy, mutes = read_repeat_policy(words, self.defaults.channel), "mute" if self.defaults.mutes else ""
        parts = (
            self._working_hours(str(words.get("working_hours", self.defaults.working_hours)), zone),
            limit if isinstance(limit, int) else self.defaults.max_alert,
            self.defaults.pause_time if pause is None else parse_pause_time(pause),
            repeat_policy.keeps_running or str(words.get("while_paused", mutes)).lower() == "mute",
            repeat_policy,
        )
        if parts not in self._policies:
            self._policies[parts] = Policy(*parts)
        return self._policies[parts]

    def _working_hours(self, text: str, zone: tzinfo) -> WorkingHours:
        if (text, zone) not in self._hours:
            self._hours[text, zone] = WorkingHours.parse(text, zone)
        return self._hours[text, zone]

    def _bad_addresses(self, words: Words) -> Iterator[tuple[str, str]]:
        """Yield a fault for each address of a service, or of a robot, that there is not."""
        for word in _ADDRESSES:
            if isinstance(text := words.get(word), str):
                try:
                    check_address(text, self.defaults.services, self.defaults.robots)
                except BadValue as error:
                    yield f"{word}: {error}", error.hint

    def _address(self, written: object, default: Address) -> Address:
        return Address.parse(str(written), self.defaults.channel, None) if written is not None else default


#: Keywords whose values are addresses, with more behind them perhaps.
_ADDRESSES = ("to", "errors_to", "escalate")


def _is_later(word: str, words: Words) -> bool:
    """Return whether a keyword has no effect in this version."""
    is_without_command = word in COMMAND_KEYWORDS and "command" not in words
    return is_without_command or (word in LATER_KEYWORDS and words[word] is not False)


def _is_needed(word: str, words: Words) -> bool:
    """Return whether a command must not run without a keyword that has no effect in this version."""
    return word in NEEDED_KEYWORDS and _is_later(word, words)


def _jittered(job: Callable[..., Job], trigger: Jittered) -> Callable[[str, Action], Job]:
    return lambda name, action: job(name, action, trigger=replace(trigger, name=name))


def _missing_companions(words: Words, *, is_timed: bool, is_endless: bool) -> Iterator[tuple[str, str]]:
    """Yield faults for keywords without the keyword they belong to."""
    yield from _not_sensing(words, is_timed=is_timed, is_endless=is_endless)
    for word in words:
        companion, hint = _COMPANIONS.get(word, (word, ""))
        if companion not in words:
            yield f"{word} belongs to {companion}, and there is none", hint
    if "absent" in words:
        yield from _not_absent(words)
    for word in words if "guard" in words else ():
        if word in _UNLIKE_GUARD:
            yield f"{word} does not go with guard, which is asked before commands", "Mark a second function."


def _not_sensing(words: Words, *, is_timed: bool, is_endless: bool) -> Iterator[tuple[str, str]]:
    """Yield faults for `emits` without what makes a sensor, and for keywords that do not go with such a sensor."""
    if "emits" in words and not is_timed and not is_endless:
        yield "emits belongs to a time trigger, or alone to a generator that runs for ever", _EMITS
    if "baseline" in words and not ("emits" in words and is_timed):
        yield "baseline belongs to a sensor with a time trigger", 'Add seconds=30 and emits="changed_file".'
    for word in words if is_endless else ():
        if word in _UNLIKE_ENDLESS:
            yield f"{word} does not go with a sensor that runs for ever", f"Take {word} out, or add seconds=30."


def _not_absent(words: Words) -> Iterator[tuple[str, str]]:
    """Yield faults for keywords that do not go with `absent`."""
    if "on" not in words:
        yield "absent belongs to on, and there is none", 'Add on="backup.done".'
    for word in words:
        if word in _OF_EVENTS:
            yield f"{word} does not go with absent: it answers no event", f"Take {word} out, or mark a second function."
        if word in _UNLIKE_ABSENT:
            hint = f"Take {word} out, or mark a second function."
            yield f"{word} does not go with absent, which alone says when it runs", hint
