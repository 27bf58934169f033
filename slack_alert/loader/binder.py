"""Turn what markers declare into bindings: jobs, commands and rules with everything they need to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from slack_alert.core.bindings import Binding, Command, Job, Rule
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import BadValue
from slack_alert.core.hours import WorkingHours
from slack_alert.core.model import Action, Address
from slack_alert.core.policy import Policy
from slack_alert.core.triggers import Trigger, parse_trigger
from slack_alert.loader.declaration import Declaration
from slack_alert.loader.files import PluginFile
from slack_alert.loader.keywords import LATER_KEYWORDS, OPTION_KEYWORDS
from slack_alert.loader.options import check, find_zone, pause_of, texts_of

#: In characters; a value quoted in a problem may be of any length.
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the configuration says for every job whose marker says nothing else."""

    zone: tzinfo
    #: The text: its windows are read for the zone of each job.
    working_hours: str
    #: 0: no limit.
    max_alert: int
    pause_time: timedelta
    #: Keep a paused job running and withhold what it says.
    mutes: bool
    to: Address
    errors_to: Address
    #: The only names that are markers; empty: any.
    markers: tuple[str, ...] = ()
    #: The service that is meant where an address names none.
    channel: str = "slack"


@dataclass(slots=True)
class Binder:
    """Make the bindings of all files; equal parts are made once and shared."""

    defaults: Defaults
    problems: list[Problem] = field(default_factory=list)
    #: Where each full name was taken.
    _places: dict[str, str] = field(default_factory=dict)
    _zones: dict[str, tzinfo] = field(default_factory=dict)
    _hours: dict[tuple[str, tzinfo], WorkingHours] = field(default_factory=dict)
    _policies: dict[tuple[WorkingHours, int, timedelta, bool], Policy] = field(default_factory=dict)

    def bind(self, file: PluginFile, declaration: Declaration) -> tuple[Binding, ...]:
        """Make the bindings of one declaration; none where a problem or its author keeps it out."""
        faults: list[Problem] = []
        zone = self._zone(file, declaration, faults)
        faults.extend(self._bad_options(file, declaration, zone))
        faults.extend(_needs(file, declaration))
        if not declaration.is_sound or faults:
            self.problems.extend(faults)
            return ()
        name = f"{file.name}.{declaration.keywords.get('name', declaration.function)}"
        try:
            trigger = parse_trigger(declaration.keywords, zone=zone, name=name)
        except BadValue as error:
            self.problems.append(_fault(file, declaration, "SA201", str(error), error.hint))
            return ()
        self.problems.extend(_not_there_yet(file, declaration))
        if not declaration.is_enabled or self._is_taken(name, file, declaration):
            return ()
        return tuple(self._made(name, file, declaration, trigger=trigger, zone=zone))

    def _zone(self, file: PluginFile, declaration: Declaration, faults: list[Problem]) -> tzinfo:
        named = declaration.keywords.get("timezone")
        if "timezone" not in declaration.keywords:
            return self.defaults.zone
        try:
            key = str(named)
            if key not in self._zones:
                self._zones[key] = find_zone(named)
            return self._zones[key]
        except BadValue as error:
            faults.append(_fault(file, declaration, "SA201", f"timezone: {error}", error.hint))
            return self.defaults.zone

    def _bad_options(self, file: PluginFile, declaration: Declaration, zone: tzinfo) -> Iterator[Problem]:
        for keyword, value in declaration.keywords.items():
            if keyword == "timezone":
                continue
            try:
                check(keyword, value, zone)
                if keyword == "working_hours":
                    self._working_hours(str(value), zone)
            except BadValue as error:
                yield _fault(file, declaration, "SA201", str(error), error.hint)

    def _is_taken(self, name: str, file: PluginFile, declaration: Declaration) -> bool:
        place = f"{file.shown}:{declaration.line}"
        first = self._places.setdefault(name, place)
        if first == place:
            return False
        said = f"the name {name} is taken by {first}"
        hint = 'Rename the function, or give it a name of its own: name="...".'
        self.problems.append(_fault(file, declaration, "SA206", said, hint))
        return True

    def _made(
        self, name: str, file: PluginFile, declaration: Declaration, *, trigger: Trigger | None, zone: tzinfo
    ) -> Iterator[Binding]:
        words = declaration.keywords
        options = {keyword: value for keyword, value in words.items() if keyword in OPTION_KEYWORDS}
        action = _action(name, file, declaration)
        if trigger:
            yield Job(
                name=name,
                action=action,
                trigger=trigger,
                policy=self._policy(words, zone),
                to=self._address(words.get("to"), self.defaults.to),
                errors_to=self._address(words.get("errors_to"), self.defaults.errors_to),
                zone=zone,
                at_start=words.get("at_start") is True,
                emits=str(words["emits"]) if "emits" in words else None,
                options=options,
            )
        if "command" in words:
            yield Command(name=name, action=action, words=" ".join(str(words["command"]).split()), options=options)
        if "on" in words:
            where = words.get("where")
            criteria: Mapping[str, object] = where if isinstance(where, dict) else {}
            yield Rule(name=name, action=action, on=texts_of(words["on"]), where=criteria, options=options)

    def _policy(self, words: Mapping[str, object], zone: tzinfo) -> Policy:
        limit, pause = words.get("max_alert"), words.get("pause_time")
        parts = (
            self._working_hours(str(words.get("working_hours", self.defaults.working_hours)), zone),
            limit if isinstance(limit, int) else self.defaults.max_alert,
            self.defaults.pause_time if pause is None else pause_of(pause),
            words["while_paused"] == "mute" if "while_paused" in words else self.defaults.mutes,
        )
        if parts not in self._policies:
            self._policies[parts] = Policy(*parts)
        return self._policies[parts]

    def _working_hours(self, text: str, zone: tzinfo) -> WorkingHours:
        if (text, zone) not in self._hours:
            self._hours[text, zone] = WorkingHours.parse(text, zone)
        return self._hours[text, zone]

    def _address(self, written: object, default: Address) -> Address:
        return Address.parse(str(written), self.defaults.channel) if written is not None else default


def _action(name: str, file: PluginFile, declaration: Declaration) -> Action:
    return Action(
        name=name,
        file=file.shown,
        line=declaration.line,
        doc=declaration.doc,
        takes_context=declaration.takes_context,
        is_async=declaration.is_async,
    )


def _needs(file: PluginFile, declaration: Declaration) -> Iterator[Problem]:
    """Find what does not go together."""
    words = declaration.keywords
    if declaration.is_timed and declaration.required:
        names = ", ".join(declaration.required)
        said = f"{declaration.function} requires {names}, and a job is called with nothing but ctx, by its name"
        yield _fault(file, declaration, "SA207", said, f"Give a default: {declaration.required[0]}=None.")
    if "emits" in words and not declaration.is_timed and declaration.is_sound:
        hint = "Add seconds=30, or another time keyword."
        yield _fault(file, declaration, "SA201", "emits belongs to a time trigger, and there is none", hint)
    if "where" in words and "on" not in words and declaration.is_sound:
        yield _fault(file, declaration, "SA201", "where belongs to on, and there is none", 'Add on="changed_file".')


def _not_there_yet(file: PluginFile, declaration: Declaration) -> Iterator[Problem]:
    for keyword in declaration.keywords:
        if keyword in LATER_KEYWORDS:
            meanwhile = "the job runs without it" if declaration.is_timed else f"{declaration.function} does not run"
            said = f"`{keyword}` is not there yet in this version: {meanwhile}"
            yield _fault(file, declaration, "SA209", said, "Leave it, or take it out.", severity=Severity.WARNING)


def _fault(
    file: PluginFile, declaration: Declaration, code: str, said: str, hint: str, *, severity: Severity = Severity.ERROR
) -> Problem:
    message = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return Problem(file.shown, declaration.line, declaration.column, severity, code, message, hint)
