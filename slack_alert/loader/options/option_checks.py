"""Check the option keywords of a marker: types, ranges and allowed words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from string import Formatter
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from slack_alert.core.environment_faults import NO_ZONES, has_zones
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.model.address import SERVICES, Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Isolation, RunOptions
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.policy.incidents import DEFAULT_REPEAT_POLICY, Escalation, Repeat, RepeatPolicy
from slack_alert.core.rules.criteria import check_criteria
from slack_alert.core.rules.rule import Rule
from slack_alert.core.rules.templates import Placeholder, check_template, parse_template
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.units.local_time import parse_instant, parse_slot
from slack_alert.core.units.names import composed, nearest, suggestion
from slack_alert.core.units.quantities import format_size, parse_duration, parse_size

WHILE_PAUSED = ("skip", "mute")
#: Those of rules that are seldom written.
_RULE_KEYWORDS = frozenset({"any", "all", "not_", "within", "at_most", "collect", "otherwise"})
_REPEAT_KEYWORDS = frozenset({"after", "repeat", "remind", "recover", "escalate"})
#: Shorter pauses would have no effect.
_SHORTEST_PAUSE = timedelta(seconds=1)
#: An emitted event is handled within a second.
_SHORTEST_ABSENCE = timedelta(seconds=1)
_MOST = 1_000_000_000
#: Where the parameters of a command come from, and how a guard looks at them.
_PARAMETERS = "parameters come from the function's signature, such as def deploy(app)"
_ARGUMENTS = "a guard sees what was written behind them in its parameter args"
_LOCK = 'Write lock="{env}", or lock="db".'
_MOST_RETRIES = 100
_LEAST_MEMORY = 32 * 1024 * 1024
_LEAST_CPU = timedelta(seconds=1)

T = TypeVar("T")


def check(keyword: str, value: object, zone: tzinfo) -> None:
    """Raise BadValue if a keyword's value is not valid; time keywords are checked by the trigger's parser."""
    if keyword in ("start", "end"):
        parse = parse_slot if keyword == "start" else parse_instant
        _named(keyword, value, lambda: parse(value, zone))
    elif keyword in _CHECKS:
        _named(keyword, value, lambda: _CHECKS[keyword](value))


def find_zone(value: object) -> tzinfo:
    """Return a time zone by its name; raise BadValue with the nearest name."""
    name = _text(value)
    try:
        return ZoneInfo(name)
    # A name may also lead to a folder, or out of the database.
    except (KeyError, ValueError, OSError) as error:
        meant = nearest(name, available_timezones(), likeness=0.75)
        hint = f"Did you mean {meant}?" if meant else 'Write a name such as "Europe/Berlin" or "UTC".'
        hint = hint if has_zones() else NO_ZONES
        raise BadValue(f"there is no time zone {name!r}", hint=hint) from error


def parse_pause_time(value: object) -> timedelta:
    """Parse `pause_time`; a bare number is minutes."""
    pause = parse_duration(value, unit="m")
    if pause < _SHORTEST_PAUSE:
        raise BadValue("a pause takes a second at least", hint="For no limit of alerts, write max_alert=0.")
    return pause


def parse_texts(value: object) -> tuple[str, ...]:
    """Return the texts of a value that is a text or a list of texts."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise BadValue("the list is empty", hint="Name one at least.")
    return tuple(_text(one) for one in values)


def parse_commands(value: object) -> tuple[str, ...]:
    """Return the words of a command, and of its aliases, with single spaces between them and no `/` before them."""
    from slack_alert.core.commands.words import parse_command_words

    return tuple(dict.fromkeys(parse_command_words(text, _PARAMETERS) for text in parse_texts(value)))


def parse_guarded(value: object) -> tuple[str, ...]:
    """Return the words of the commands before which a guard is asked; `*` is all of them."""
    from slack_alert.core.commands.words import parse_command_words

    texts = [text.strip() for text in parse_texts(value)]
    return tuple(dict.fromkeys(text if text == "*" else parse_command_words(text, _ARGUMENTS) for text in texts))


def parse_queue(value: object) -> str | None:
    """Return the name of a queue; None, also for an empty text: there is none to wait in."""
    return None if value is None or value == "" else _text(value)


def parse_lock(value: object) -> tuple[str, tuple[str, ...]]:
    """Return the resource of a lock, and the names in braces that it has."""
    text = _text(value)
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadValue(f"the braces do not fit ({error})", hint=_LOCK) from error
    if any(name is not None and (not name.isidentifier() or spec or conversion) for _, name, spec, conversion in parts):
        raise BadValue("between braces stands the name of a parameter alone", hint=_LOCK)
    return text, tuple(name for _, name, _, _ in parts if name is not None)


def _choices(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict) or not value or not all(isinstance(one, str) for one in value.values()):
        raise BadValue("this must be a dictionary of parameters", hint='Write choices={"version": "versions"}.')
    return value


def read_repeat_policy(words: Mapping[str, object], channel: str) -> RepeatPolicy:
    """Return how the incidents of a job are repeated; the keywords were checked before."""
    if _REPEAT_KEYWORDS.isdisjoint(words):
        return DEFAULT_REPEAT_POLICY
    after, remind, escalate = words.get("after", 1), words.get("remind"), words.get("escalate")
    return RepeatPolicy(
        after if isinstance(after, int) else 1,
        Repeat(_lowered(words.get("repeat", Repeat.POST.value))),
        None if remind is None else _remind(remind),
        words.get("recover") is True,
        None if escalate is None else _escalation(escalate, channel),
    )


def read_rule(words: Mapping[str, object], hours_of: Callable[[str], WorkingHours]) -> Rule | None:
    """Return the events that a job reacts to; the keywords were checked before."""
    if "on" not in words:
        return None
    on, where = tuple(map(composed, parse_texts(words["on"]))), words.get("where")
    if _RULE_KEYWORDS.isdisjoint(words):
        return Rule(on, where if isinstance(where, dict) else {})
    at_most, collect = words.get("at_most"), words.get("collect")
    return Rule(
        on,
        where if isinstance(where, dict) else {},
        _groups(words["any"]) if "any" in words else (),
        _groups(words["all"]) if "all" in words else (),
        _mapping(words.get("not_", {})),
        hours_of(str(words["within"])) if "within" in words else None,
        None if at_most is None else Rate.parse(at_most),
        None if collect is None else parse_duration(collect),
        words.get("otherwise") is True,
    )


def read_absence(words: Mapping[str, object], hours: WorkingHours) -> Absence | None:
    """Return how long events may stay away; the keywords were checked before. `remind` repeats the alert."""
    if "absent" not in words:
        return None
    absent, remind = parse_duration(words["absent"]), words.get("remind")
    return Absence(absent, absent if remind is None else _remind(remind), hours)


def _escalation(value: object, channel: str = SERVICES[0]) -> Escalation:
    to, after, delay = _text(value).partition(" after ")
    if not after:
        raise BadValue("this must say whom, and after how long", hint='Write escalate="@lead after 15m".')
    return Escalation(Address.parse(to, channel, None), _positive('Write escalate="@lead after 15m".')(delay))


def read_run_options(words: Mapping[str, object], default: RunOptions) -> RunOptions:
    """Return the run options of a job; the keywords were checked before."""
    timeout, retries, delay = words.get("timeout"), words.get("retries"), words.get("retry_delay")
    isolation = Isolation(_lowered(words.get("isolation", default.isolation.value)))
    run_options = RunOptions(
        default.timeout if timeout is None else _timeout(timeout),
        retries if isinstance(retries, int) else default.retries,
        default.retry_delay if delay is None else parse_duration(delay),
        isolation,
        _limit(words, "memory_limit", _memory, default.memory) if isolation is Isolation.PROCESS else None,
        _limit(words, "cpu_limit", _cpu, default.cpu) if isolation is Isolation.PROCESS else None,
    )
    return DEFAULT_OPTIONS if run_options == DEFAULT_OPTIONS else run_options


def _limit(words: Mapping[str, object], keyword: str, read: Callable[[object], T], default: T | None) -> T | None:
    return read(words[keyword]) if keyword in words else default


def _named(keyword: str, value: object, read: Callable[[], object]) -> None:
    try:
        read()
    except BadValue as error:
        said = str(error)
        shown = said if repr(value) in said else f"{said}, got {_shown(value)}"
        raise BadValue(f"{keyword}: {shown}", hint=error.hint) from error


def _shown(value: object) -> str:
    return excerpt(repr(value), 80)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadValue("this must be a text of printable characters", hint='Write it in quotes: "...".')
    return value.strip()


def _name(value: object) -> str:
    name = _text(value)
    if name != value or len(name) > 200:
        raise BadValue("a name has no spaces around it, and 200 characters at most", hint='Write name="disk".')
    return name


def _address(value: object) -> str:
    if isinstance(value, list):
        raise BadValue("this takes one channel", hint='Name one; ctx.say(value, to="#other") reaches more.')
    text = _text(value)
    Address.parse(text, SERVICES[0], None)  # Which services there are says the configuration.
    return text


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue("this must be True or False", hint="Write it without quotes.")
    return value


def _enabled(value: object) -> bool | str:
    if isinstance(value, bool) or (isinstance(value, str) and CONFIG_KEY.fullmatch(value)):
        return value
    hint = 'Write it without quotes; in a pack it may be "config.KEY" or "not config.KEY" as well.'
    raise BadValue("this must be True or False", hint=hint)


#: The value of a key in the configuration of a pack.
CONFIG_KEY = lazy_pattern(r"(not )?config\.(\w+)")


def _whole(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            raise BadValue(f"this must be a whole number from {least} on", hint=f"Write {max(least, 3)}, for example.")
        return value

    return read


def _retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_RETRIES:
        raise BadValue(f"this must be a whole number from 0 to {_MOST_RETRIES}", hint="Write 3, for example.")
    return value


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        # In any case, as in the configuration.
        if not isinstance(value, str) or value.lower() not in allowed:
            raise BadValue(f"this must be one of {', '.join(allowed)}", hint=suggestion(str(value), allowed))
        return value.lower()

    return read


def _lowered(value: object) -> str:
    return str(value).lower()


def _positive(hint: str) -> Callable[[object], timedelta]:
    def read(value: object) -> timedelta:
        duration = parse_duration(value)
        if not duration:
            raise BadValue("this must be longer than nothing", hint=hint)
        return duration

    return read


def _memory(value: object) -> int:
    size = parse_size(_text(value))
    if size < _LEAST_MEMORY:
        raise BadValue(f"a process needs {format_size(_LEAST_MEMORY)} at least", hint='Write memory_limit="512MB".')
    return size


def _cpu(value: object) -> timedelta:
    limit = parse_duration(value)
    if limit < _LEAST_CPU:
        raise BadValue("the system counts whole seconds", hint="Write cpu_limit=60, or 1m.")
    return limit


_timeout = _positive("Leave the keyword out for no limit.")
_remind = _positive('Write remind="2h", or leave the keyword out: nothing is said again.')


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadValue("this must be a dictionary of criteria", hint='Write where={"path": "/etc/*"}.')
    check_criteria(value)
    return value


def _groups(value: object) -> tuple[Mapping[str, object], ...]:
    if not isinstance(value, list) or not value:
        raise BadValue("this must be a list of criteria", hint='Write any=[{"path": "/etc/*"}, {"size": "> 10"}].')
    return tuple(_mapping(each) for each in value)


def _named_criteria(value: object) -> Mapping[str, object]:
    if not _mapping(value):
        raise BadValue("there are no criteria", hint='Write not_={"path": "/tmp/*"}.')
    return _mapping(value)


def _params(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict) or not value:
        raise BadValue("this must be a dictionary of parameters", hint='Write params={"target": "{event.path}"}.')
    check_template(value)
    return value


def _dedup(value: object) -> str:
    text = _text(value)
    if not any(isinstance(part, Placeholder) for part in parse_template(text)):
        raise BadValue("this must name a field at least", hint='Write dedup="{path}:{time}".')
    return text


def _absent(value: object) -> timedelta:
    absent = parse_duration(value)
    if absent < _SHORTEST_ABSENCE:
        raise BadValue("an absence is noticed after a second at least", hint='Write absent="25h", or 90 for seconds.')
    return absent


def _either(first: Callable[[object], object], second: Callable[[object], object]) -> Callable[[object], object]:
    def read(value: object) -> object:
        try:
            return first(value)
        except BadValue:
            return second(value)

    return read


_CHECKS: Mapping[str, Callable[[object], object]] = {
    "name": _name,
    "enabled": _enabled,
    "to": _address,
    "errors_to": _address,
    "timezone": find_zone,
    "jitter": parse_duration,
    "at_start": _yes_or_no,
    "working_hours": _text,
    "max_alert": _whole(0),
    "pause_time": parse_pause_time,
    "while_paused": _choice(*WHILE_PAUSED),
    "command": parse_commands,
    "guard": parse_guarded,
    "on": parse_texts,
    "emits": parse_texts,
    "baseline": _yes_or_no,
    "where": _mapping,
    "any": _groups,
    "all": _groups,
    "not_": _named_criteria,
    "within": _text,
    "at_most": Rate.parse,
    "collect": _positive('Write collect="30s".'),
    "otherwise": _yes_or_no,
    "params": _params,
    "dedup": _dedup,
    "absent": _absent,
    "after": _whole(1),
    "repeat": _choice(*(repeat.value for repeat in Repeat)),
    "remind": _remind,
    "escalate": _escalation,
    "recover": _yes_or_no,
    "catch_up": parse_duration,
    "timeout": _timeout,
    "retries": _retries,
    "retry_delay": parse_duration,
    "queue": parse_queue,
    "lock": parse_lock,
    "isolation": _choice(*(isolation.value for isolation in Isolation)),
    "memory_limit": _memory,
    "cpu_limit": _cpu,
    "allow": parse_texts,
    "confirm": _either(_yes_or_no, _text),
    "approve": _either(_yes_or_no, parse_texts),
    "choices": _choices,
    "hidden": _yes_or_no,
}
