from __future__ import annotations

import json
import re
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.catalog import Severity
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Isolation, RunOptions
from slack_alert.core.policy.incidents import Escalation, Repeat, RepeatPolicy
from slack_alert.core.rules.rule import Rule
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.schedule.combining import Jittered
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from slack_alert.loader import survey
from tests.fakes.plugins import DEFAULTS, OPS, job, names, problems, surveyed, write


def test_a_job_without_options_has_the_configuration_s(tmp_path: Path) -> None:
    found = job(surveyed(tmp_path, "@deco(hours=1)\ndef f(): pass"))

    assert (found.to, found.errors_to, found.zone, found.at_start, found.emits) == (OPS, OPS, timezone.utc, False, ())
    assert (found.policy.max_alert, found.policy.pause_time, found.policy.mutes) == (3, timedelta(hours=1), False)
    assert found.policy.hours.is_always


def test_options_are_the_job_s_own(tmp_path: Path) -> None:
    source = """
        @deco(hours=1, to="console:", errors_to="@ann", timezone="Europe/Berlin", working_hours="9:00-17:00",
              max_alert=0, pause_time=90, while_paused="mute", at_start=True, name="other", jitter="5s")
        def f(): pass
    """
    found = job(surveyed(tmp_path, source), "x.other")

    assert (found.to, found.errors_to) == (Address("console", ""), Address("slack", "@ann"))
    assert (found.zone, found.policy.hours.zone) == (ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Berlin"))
    assert (found.policy.max_alert, found.policy.pause_time, found.policy.mutes) == (0, timedelta(minutes=90), True)
    assert (found.policy.hours.text, found.at_start, found.name) == ("9:00-17:00", True, "x.other")
    assert json.loads(json.dumps(found.options)) == {
        "to": "console:",
        "errors_to": "@ann",
        "timezone": "Europe/Berlin",
        "working_hours": "9:00-17:00",
        "max_alert": 0,
        "pause_time": 90,
        "while_paused": "mute",
        "at_start": True,
        "name": "other",
        "jitter": "5s",
    }


def test_words_may_be_written_in_any_case_as_in_the_configuration(tmp_path: Path) -> None:
    apart = job(surveyed(tmp_path, "@deco(hours=1, isolation='Process', while_paused='MUTE')\ndef f(): pass"))
    threaded = job(surveyed(tmp_path, "@deco(hours=1, repeat='Thread')\ndef f(): pass"))

    assert (apart.run_options.isolation, apart.policy.mutes) == (Isolation.PROCESS, True)
    assert threaded.policy.repeat_policy.repeat is Repeat.THREAD


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("timeout=0", "Leave the keyword out for no limit."),
        ("remind=0", 'Write remind="2h", or leave the keyword out: nothing is said again.'),
        ("escalate='@x after 0s'", 'Write escalate="@lead after 15m".'),
    ],
)
def test_a_time_of_nothing_is_refused_with_what_to_write_instead(tmp_path: Path, option: str, hint: str) -> None:
    [problem] = surveyed(tmp_path, f"@deco(hours=1, {option})\ndef f(): pass").problems

    assert problem.hint == hint


def test_the_configuration_s_hours_are_read_in_the_zone_of_the_job(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": "@deco(hours=1, timezone='Asia/Tokyo', while_paused='skip')\ndef f(): pass"})
    found = job(survey(tmp_path, replace(DEFAULTS, working_hours="9:00-17:00", mutes=True)))

    assert (found.policy.hours.text, found.policy.hours.zone) == ("9:00-17:00", ZoneInfo("Asia/Tokyo"))
    assert not found.policy.mutes


@pytest.mark.parametrize("text", ["always", ""])
def test_a_job_may_run_always(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"x.py": "@deco(hours=1, working_hours='always')\ndef f(): pass"})

    assert job(survey(tmp_path, replace(DEFAULTS, working_hours="9:00-17:00"))).policy.hours.is_always


@pytest.mark.parametrize(
    "option",
    [
        "to=''",
        "to=5",
        "to=['#a']",
        "to='#a b'",
        "to='#a,#b'",
        "to='#'",
        "to='discord:#x'",
        "to='=x'",
        "errors_to='slack:'",
        "errors_to=['#a', '#b']",
        "errors_to=None",
        "timezone='Nowhere'",
        "timezone='../UTC'",
        "timezone='/etc'",
        "timezone='America'",
        "timezone=''",
        "timezone=2",
        "timezone='\\0'",
        "start='soon'",
        "end=5",
        "start='2026-01-02', end='2026-01-01'",
        "jitter=-1",
        "jitter='soon'",
        "at_start=1",
        "enabled='no'",
        "name=''",
        "name=' x'",
        "name='a\\nb'",
        "name=5",
        "working_hours='19-9'",
        "working_hours='25:00-26:00'",
        "working_hours=9",
        "max_alert=-1",
        "max_alert=2.5",
        "max_alert=True",
        "max_alert='3'",
        "pause_time=0",
        "pause_time=-5",
        "pause_time='soon'",
        "while_paused='mut'",
        "while_paused=True",
        "after=0",
        "repeat='chang'",
        "remind=0",
        "recover='yes'",
        "catch_up=-1",
        "timeout=0",
        "retries=-1",
        "retry_delay='x'",
        "queue=5",
        "lock=''",
        "isolation=1",
        "allow=[]",
        "allow=[1]",
        "confirm=5",
        "approve={}",
        "command=''",
        "command=[]",
        "command='-a'",
        "command=['a', 'b=c']",
        "command='/'",
        "choices={'a': 1}",
        "choices={}",
        "hidden=1",
        "guard=5",
        "on=[]",
        "on=5",
        "on='x', where='y'",
        "emits=5",
        "where={'a': 1}",
        "on='x', where={1: 2}",
        "to='\\ud800'",
        "at='09:00'",
        "cron='nonsense'",
    ],
)
def test_an_option_that_means_nothing_keeps_the_job_out(tmp_path: Path, option: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, {option})\ndef f(): pass")

    assert {(problem.code, problem.line, problem.column) for problem in catalog.problems} == {("SA201", 1, 1)}
    keyword = option.rpartition(", ")[2].partition("=")[0]
    assert keyword in catalog.problems[0].message.replace("working hours", "working_hours")
    assert all(problem.hint for problem in catalog.problems)
    assert names(catalog) == []


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("timezone='europe/berln'", "Did you mean Europe/Berlin?"),
        ("timezone='Mars/Phobos'", 'Write a name such as "Europe/Berlin" or "UTC".'),
        ("to='slak:#a'", "Did you mean slack? Allowed services: slack, console, dingtalk."),
        ("while_paused='mute '", "Did you mean mute?"),
        ("repeat='chang'", "Did you mean change?"),
    ],
)
def test_the_nearest_allowed_word_is_named(tmp_path: Path, option: str, hint: str) -> None:
    assert surveyed(tmp_path, f"@deco(hours=1, {option})\ndef f(): pass").problems[0].hint == hint


def test_a_list_of_channels_is_told_that_there_is_one(tmp_path: Path) -> None:
    (problem,) = surveyed(tmp_path, "@deco(hours=1, to=['#a', '#b'])\ndef f(): pass").problems

    assert problem.message == "to: this takes one channel, got ['#a', '#b']"
    assert problem.hint == 'Name one; ctx.say(value, to="#other") reaches more.'


def test_every_fault_of_a_marker_is_told_at_once(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=X, foo=1, to='', max_alert=-1)\ndef f(a): pass")

    assert [code for code, _, _ in problems(catalog)] == ["SA201", "SA201", "SA201", "SA202", "SA207"]


@pytest.mark.parametrize(
    "option",
    [
        "queue='db'",
        "lock='db'",
        "allow='@ann'",
        "allow=['@ann', '@bob']",
        "confirm=True",
        "confirm='Sure?'",
        "approve=True",
        "approve='@ops'",
        "choices={'a': 'b'}",
    ],
)
def test_what_a_later_version_brings_is_named(tmp_path: Path, option: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, {option})\ndef f(): pass")

    (problem,) = catalog.problems
    keyword = option.partition("=")[0]
    assert (problem.code, problem.severity) == ("SA209", Severity.WARNING)
    assert problem.message == f"`{keyword}` is not there yet in this version: the job runs without it"
    assert len(catalog.jobs) == 1


@pytest.mark.parametrize(
    ("options", "run_options"),
    [
        ("", DEFAULT_OPTIONS),
        ("retries=0, isolation='none'", DEFAULT_OPTIONS),
        ("timeout=90", RunOptions(timeout=timedelta(seconds=90))),
        ("timeout='5m', retries=2, retry_delay='10s'", RunOptions(timedelta(minutes=5), 2, timedelta(seconds=10))),
        ("isolation='process'", RunOptions(isolation=Isolation.PROCESS)),
    ],
)
def test_how_runs_are_looked_after_is_read(tmp_path: Path, options: str, run_options: RunOptions) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, {options})\ndef f(): pass")

    assert job(catalog).run_options == run_options
    assert (job(catalog).run_options is DEFAULT_OPTIONS) == (run_options == DEFAULT_OPTIONS)
    assert problems(catalog) == []


def test_a_job_has_the_configured_care_where_it_says_nothing(tmp_path: Path) -> None:
    limits = RunOptions(timedelta(minutes=5), isolation=Isolation.PROCESS, memory=2**29, cpu=timedelta(seconds=9))
    write(tmp_path, {"x.py": "@deco(hours=1)\ndef f(): pass\n@deco(hours=1, isolation='none')\ndef g(): pass\n"})

    catalog = survey(tmp_path, replace(DEFAULTS, run_options=limits))

    assert job(catalog, "f").run_options == limits
    assert job(catalog, "g").run_options == RunOptions(timedelta(minutes=5))


@pytest.mark.parametrize("when", ["minutes=5", "on='x'", "on='x', absent='25h'", "cron='0 9 * * *', minutes=5"])
def test_catch_up_without_a_slot_by_the_wall_clock_is_a_problem(tmp_path: Path, when: str) -> None:
    catalog = surveyed(tmp_path, f"@deco({when}, catch_up='2h')\ndef f(): pass")

    (problem,) = catalog.problems
    assert (problem.code, problem.message[:8]) == ("SA201", "catch_up")


@pytest.mark.parametrize("when", ["days=1", "weeks=1", "cron='0 9 * * *'", "at='2099-01-01T09:00'"])
def test_catch_up_goes_with_a_slot_by_the_wall_clock(tmp_path: Path, when: str) -> None:
    assert not surveyed(tmp_path, f"@deco({when}, catch_up='2h')\ndef f(): pass").problems


@pytest.mark.parametrize(("options", "catch_up"), [("", 0), ("catch_up=0", 0), ("catch_up='2h'", 7200)])
def test_how_old_a_slot_may_be_to_be_caught_up_is_read(tmp_path: Path, options: str, catch_up: int) -> None:
    catalog = surveyed(tmp_path, f"@deco(cron='0 9 * * *', {options})\ndef f(): pass")

    assert job(catalog).catch_up == timedelta(seconds=catch_up)
    assert problems(catalog) == []


@pytest.mark.parametrize("option", ["timeout=0", "retries=-1", "retries=101", "retry_delay='x'", "isolation='thread'"])
def test_care_that_means_nothing_is_a_problem(tmp_path: Path, option: str) -> None:
    (problem,) = surveyed(tmp_path, f"@deco(hours=1, {option})\ndef f(): pass").problems

    assert (problem.code, problem.message.split(":")[0]) == ("SA201", option.partition("=")[0])


def test_a_command_s_arguments_come_from_its_signature(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(command=' pr  merge')\ndef f(number): pass")

    (binding,) = catalog.bindings
    assert isinstance(binding, Command)
    assert (binding.name, binding.words) == ("x.f", "pr merge")
    assert binding.parameters == (Parameter("number"),)
    assert catalog.problems == ()
    assert catalog.jobs == ()


def test_a_rule_has_its_criteria(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(on='changed_file', where={'path': ('/etc', None, 1.5)})\ndef f(path): pass")

    (job,) = catalog.jobs
    assert job.rule == Rule(("changed_file",), {"path": ["/etc", None, 1.5]})
    assert (job.kind, job.shown, job.action.parameters) == ("rule", "on changed_file", ("path",))
    assert catalog.problems == ()


@pytest.mark.parametrize("where", ["'x'", "{1: 2}", "{'a': {'b': 1}}", "{'a': [[1]]}", "{' ': 1}"])
def test_criteria_that_could_never_hold_are_a_problem(tmp_path: Path, where: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(on='x', where={where})\ndef f(): pass")

    (problem,) = catalog.problems
    assert (problem.code, problem.message[:5]) == ("SA201", "where")


def test_one_function_may_carry_several_triggers(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1, command='disk', on='x', emits='y')\ndef f(): pass")

    assert [(binding.name, binding.kind) for binding in catalog.bindings] == [
        ("x.f", "sensor"),
        ("x.f", "command"),
    ]
    assert catalog.bindings[0].shown == "every 1h, on x"


def test_emits_alone_is_no_trigger(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(emits='x')\ndef f(): pass")

    assert problems(catalog) == [("SA201", 1, 1)]
    assert names(catalog) == []


def test_a_job_that_is_not_enabled_is_kept_out_without_a_word(tmp_path: Path) -> None:
    catalog = surveyed(
        tmp_path, "@deco(hours=1, enabled=False)\ndef f(): pass\n@deco(hours=1, name='f')\ndef g(): pass"
    )

    assert names(catalog) == ["x.f"]
    assert job(catalog).action.line == 3
    assert problems(catalog) == []


def test_equal_policies_are_one_object(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1)\ndef f(): pass\n@deco(hours=2)\ndef g(): pass")

    assert job(catalog, "f").policy is job(catalog, "g").policy


def test_equal_keywords_are_told_apart_by_the_types_of_their_values(tmp_path: Path) -> None:
    catalog = surveyed(
        tmp_path, "@deco(hours=1, max_alert=1)\ndef f(): pass\n@deco(hours=1, max_alert=True)\ndef g(): pass"
    )

    assert (names(catalog), problems(catalog)) == (["x.f"], [("SA201", 3, 1)])


def test_jitter_goes_by_the_name_of_each_job(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1, jitter=60)\ndef f(): pass\n@deco(hours=1, jitter=60)\ndef g(): pass")
    triggers = [each.trigger for each in catalog.jobs]

    assert [each.name for each in triggers if isinstance(each, Jittered)] == ["x.f", "x.g"]


@pytest.mark.parametrize(
    ("options", "repeat_policy"),
    [
        ("", RepeatPolicy()),
        ("after=3", RepeatPolicy(after=3)),
        ("repeat='update', remind='4h'", RepeatPolicy(repeat=Repeat.UPDATE, remind=timedelta(hours=4))),
        ("recover=True", RepeatPolicy(recovers=True)),
        ("recover=False, repeat='post'", RepeatPolicy()),
        (
            "escalate='@lead after 15m'",
            RepeatPolicy(escalation=Escalation(Address("slack", "@lead"), timedelta(minutes=15))),
        ),
    ],
)
def test_how_incidents_are_said(tmp_path: Path, options: str, repeat_policy: RepeatPolicy) -> None:
    found = job(surveyed(tmp_path, f"@deco(hours=1, {options})\ndef f(): pass"))

    assert found.policy.repeat_policy == repeat_policy
    assert found.policy.mutes == repeat_policy.keeps_running


@pytest.mark.parametrize("value", ["'@lead'", "15", "'@lead after soon'", "' after 15m'", "'@lead after 0'"])
def test_an_escalation_says_whom_and_when(tmp_path: Path, value: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, escalate={value})\ndef f(): pass")

    assert [problem.code for problem in catalog.problems] == ["SA201"]
    assert catalog.problems[0].message.startswith("escalate")


@pytest.mark.parametrize("option", ["hours=1", "command='lag'", "on='x'", "queue='deploy'", "lock='x'", "allow='ops'"])
def test_a_guard_is_nothing_else(tmp_path: Path, option: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(guard='*', {option})\ndef f(by, command, args, channel): pass")

    keyword = option.partition("=")[0]
    assert catalog.problems[0].code == "SA201"
    assert catalog.problems[0].message == f"{keyword} does not go with guard, which is asked before commands"
    assert catalog.bindings == ()


@pytest.mark.parametrize(
    ("signature", "missing"),
    [
        ("by, command, args, channel", ""),
        ("args", ""),
        ("", ""),
        ("ctx, by, *, args", ""),
        ("by, reason=None", ""),
        ("who, command", "who"),
        ("by, /, command", "by"),
    ],
)
def test_a_guard_takes_what_it_is_called_with_by_name(tmp_path: Path, signature: str, missing: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(guard=['*'])\ndef f({signature}): pass")

    said = f"f requires {missing}, and a guard is called with by, command, args, channel"
    assert [(each.code, each.message) for each in catalog.problems] == ([("SA207", said)] if missing else [])
    assert [(each.kind, each.shown) for each in catalog.bindings] == (
        [] if missing else [("guard", "guard of all commands")]
    )


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("command='deploy {app}'", 'Write the words alone, "deploy": parameters come from the function\'s signature'),
        ("command=['x', 'pr merge <n>']", 'Write the words alone, "pr merge": parameters come from the function\'s'),
        ("guard='deploy {app}'", 'Write the words alone, "deploy": a guard sees what was written behind them'),
    ],
)
def test_parameters_among_the_words_of_a_command_are_told_where_they_belong(
    tmp_path: Path, marker: str, told: str
) -> None:
    catalog = surveyed(tmp_path, f"@deco({marker})\ndef f(app): pass")

    assert [problem.code for problem in catalog.problems] == ["SA201"]
    assert catalog.problems[0].hint.startswith(told)


def test_emits_alone_on_a_generator_is_a_sensor_that_runs_for_ever(tmp_path: Path) -> None:
    catalog = surveyed(
        tmp_path, "@deco(emits='x', memory_limit='64MB')\nasync def f():\n    while True:\n        yield 1"
    )

    found = job(catalog)
    assert (found.kind, found.emits, found.is_endless, found.shown) == ("sensor", ("x",), True, "runs for ever")
    assert found.run_options == RunOptions(
        isolation=Isolation.PROCESS, memory=64 * 1024 * 1024, is_endless=True, retry_delay=timedelta(seconds=30)
    )
    assert problems(catalog) == []


@pytest.mark.parametrize(
    "body",
    ["return [1]", "def g():\n        yield 1\n    return g", "return (lambda: (yield))", "return [x for x in y]"],
)
def test_emits_alone_on_what_is_no_generator_is_a_problem(tmp_path: Path, body: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(emits='x')\ndef f():\n    {body}")

    assert problems(catalog) == [("SA201", 1, 1)]
    assert "or yield what it notices" in catalog.problems[0].hint


def test_emits_alone_on_a_decorated_function_may_be_a_generator(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "def own(f): return f\n@deco(emits='x')\n@own\ndef f(): return iter([])")

    assert job(catalog).is_endless


@pytest.mark.parametrize(
    "keyword",
    [
        "timeout=5",
        "retries=2",
        "working_hours='9:00-18:00'",
        "at_start=True",
        "jitter=1",
        "baseline=True",
        "cpu_limit=5",
    ],
)
def test_keywords_of_runs_that_end_do_not_go_with_a_sensor_that_runs_for_ever(tmp_path: Path, keyword: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(emits='x', {keyword})\ndef f():\n    yield 1")

    assert problems(catalog) == [("SA201", 1, 1)]
    assert keyword.partition("=")[0] in catalog.problems[0].message


def test_what_runs_for_ever_must_not_require_arguments(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(emits='x')\ndef f(path):\n    yield 1")

    assert problems(catalog) == [("SA207", 1, 1)]


def test_a_sensor_may_emit_several_kinds_of_events(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1, emits=['a', 'b', 'a'], baseline=True)\ndef f(): pass")

    assert (job(catalog).emits, job(catalog).has_baseline) == (("a", "b"), True)


@pytest.mark.parametrize("keyword", ["memory_limit='64MB'", "cpu_limit='1m'"])
def test_limits_belong_to_a_process(tmp_path: Path, keyword: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, {keyword})\ndef f(): pass")

    assert problems(catalog) == [("SA201", 1, 1)]
    assert catalog.problems[0].hint == 'Add isolation="process".'


def test_a_function_has_the_limits_of_its_marker(tmp_path: Path) -> None:
    source = "@deco(hours=1, isolation='process', memory_limit='64MB', cpu_limit='1m')\ndef f(): pass"

    found = job(surveyed(tmp_path, source)).run_options
    assert (found.memory, found.cpu) == (64 * 1024 * 1024, timedelta(minutes=1))


def test_a_rule_has_groups_of_criteria_times_and_a_rate(tmp_path: Path) -> None:
    source = """
        @deco(on="x", where={"size": {"gt": 3}}, any=[{"a": 1}, {"b": 2}], all=[{"c": 3}], not_={"d": 4},
              within="mon-fri 9:00-18:00", at_most="3 per 10m", otherwise=True, params={"target": "{event.path}"})
        def f(target, path): pass
    """
    catalog = surveyed(tmp_path, source)

    (job,) = catalog.jobs
    hours = WorkingHours.parse("mon-fri 9:00-18:00", timezone.utc)
    assert catalog.problems == ()
    assert job.rule == Rule(
        ("x",), {"size": {"gt": 3}}, ({"a": 1}, {"b": 2}), ({"c": 3},), {"d": 4}, hours, Rate(3, timedelta(minutes=10)),
        None, True,
    )  # fmt: skip
    assert (job.action.params, job.action.required) == ({"target": "{event.path}"}, ("target", "path"))


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("on='x', where={'a': {'endwith': '.c'}}", "SA201", "where: a: there is no operator 'endwith'"),
        ("on='x', any={'a': 1}", "SA201", "any: this must be a list"),
        ("on='x', any=[]", "SA201", "any: this must be a list"),
        ("on='x', not_={}", "SA201", "not_: there are no criteria"),
        ("on='x', within='noon'", "SA201", "within|noon"),
        ("on='x', at_most='3'", "SA201", "at_most: this must say how many"),
        ("on='x', collect=0", "SA201", "collect: this must be longer"),
        ("on='x', otherwise='yes'", "SA201", "otherwise: this must be True"),
        ("on='x', params={'b': '{event.a}'}", "SA201", "params: f has no parameter b"),
        ("on='x', params={'a': '{event.a'}", "SA201", "params: the braces do not fit"),
        ("on='x', collect='30s'", "SA207", "f requires a, and with collect"),
        ("hours=1, any=[{'b': 1}]", "SA201", "any belongs to on"),
        ("hours=1, at_most='1 per 1m'", "SA201", "at_most belongs to on"),
        ("on='x', dedup='{a}'", "SA201", "dedup belongs to emits"),
        ("hours=1, emits='x', dedup='a'", "SA201", "dedup: this must name a field"),
        ("on='x', absent='1h', at_most='1 per 1m'", "SA201", "at_most does not go with absent"),
    ],
)
def test_a_rule_that_means_nothing_is_a_problem(tmp_path: Path, options: str, code: str, said: str) -> None:
    problem = surveyed(tmp_path, f"@deco({options})\ndef f(a): pass").problems[0]

    assert problem.code == code
    assert re.search(said, problem.message), problem.message
