"""How the verbs that come with the program are answered, and a job that is run by its name."""

from __future__ import annotations

from slack_alert.core.model.run import Action
from slack_alert.core.structs import replace
from tests.fakes.chat_rig import ChatRig, command
from tests.fakes.engine_rig import make_job


def verb(words: str, *, is_reading: bool = False) -> ChatRig:
    name = f"chat.{words}"
    made = replace(command(words), name=name, action=Action(name, "chat.py", 1), queue=None, is_reading=is_reading)
    return ChatRig(made)


def test_a_verb_answers_with_its_value_alone() -> None:
    rig = verb("status", is_reading=True)
    rig.says("ann", "status")
    rig.executor.end(1, value="all is well")

    assert rig.answers == ["1: all is well"]


def test_a_verb_that_failed_is_told_as_any_other() -> None:
    rig = verb("status")
    rig.says("ann", "status")
    rig.executor.end(1, error="no disk")

    assert rig.answers[0].startswith("1: failed after 3 s, E-1: RuntimeError: no disk")


def test_a_verb_about_something_that_is_not_there_has_not_failed() -> None:
    rig = verb("pause")
    rig.says("ann", "pause")
    rig.executor.end(1, error="There is no job 'x'. Did you mean y?", kind="BadValue")

    assert rig.answers == ["1: not run: There is no job 'x'. Did you mean y?"]
    assert rig.verdicts == [(1, "quiet")]
    assert rig.audited == ["refused"]


def test_a_command_of_a_plugin_that_raises_the_same_has_failed() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.executor.end(1, error="no such app", kind="BadValue")

    assert rig.answers[0].startswith("1: failed after 3 s, E-1: BadValue: no such app")


def test_a_job_that_is_run_by_its_name_is_recorded_as_that_job_and_waits_in_the_queue() -> None:
    run = replace(command("run"), name="chat.run")
    rig = ChatRig(run, jobs=[make_job("db.lag"), make_job("db.size")])
    rig.says("ann", "run lag")
    rig.says("ann", "run size rows=12")
    first = rig.answers
    rig.executor.end(1, value="3 s behind")
    rig.executor.end(2)

    assert [text.partition("\n")[0] for text in first] == ["2: queued, 1st"]
    assert rig.executor.begun[1].event == {"rows": 12}
    assert rig.verdicts == [(1, "said"), (2, "quiet")]
    recorded = rig.store.history(job=None, since=None, limit=None)
    assert [line.record.binding for line in recorded] == ["db.lag", "db.size"]


def test_runs_of_a_former_process_go_on_as_that_job() -> None:
    run = replace(command("run"), name="chat.run")
    rig = ChatRig(run, jobs=[make_job("db.lag"), make_job("db.size")])
    rig.says("ann", "run lag")
    rig.says("ann", "run size rows=12")
    rig.start()

    assert [(run.binding, run.event) for run in rig.executor.begun] == [("db.size", {"rows": 12})]
    assert rig.verdicts == [(1, "interrupted")]
