from __future__ import annotations

import pytest

from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Json, Project
from tests.fakes.slack import FakeSlack


def outbox(project: Project) -> list[Json]:
    return project.run("outbox", "--json").json_lines


def test_without_a_token_the_text_goes_to_the_terminal_through_the_outbox(project: Project) -> None:
    done = project.run("send", "5 < 6 & <!channel>")

    (line,) = outbox(project)
    assert (done.code, done.out) == (0, "")
    assert "5 < 6 & <!channel>" in done.err
    assert (line["status"], line["text"], line["to"]) == ("sent", "5 < 6 & <!channel>", "console:")


def test_the_same_text_twice_is_two_messages(project: Project) -> None:
    project.run("send", "again")
    project.run("send", "again")

    assert [line["text"] for line in outbox(project)] == ["again", "again"]


def test_a_dash_reads_standard_input(project: Project) -> None:
    project.run("send", "-", "--to", "ops", stdin="one\ntwo\n")

    assert [(line["text"], line["to"]) for line in outbox(project)] == [("one\ntwo", "#ops")]


def test_a_text_too_long_for_one_message_comes_in_order_in_several(project: Project) -> None:
    text = "\n".join(f"line {number:04} {'x' * 80}" for number in range(100))

    assert project.run("send", "-", stdin=text).code == 0

    lines = outbox(project)
    assert len(lines) == 3
    assert "".join(line["text"] for line in lines) == text
    assert {line["status"] for line in lines} == {"sent"}


@pytest.mark.parametrize(("text", "stdin"), [("", ""), (" \n", ""), ("-", "\n"), ("-", "")])
def test_nothing_to_send_is_exit_code_2(text: str, stdin: str, project: Project) -> None:
    done = project.run("send", text, stdin=stdin)

    assert done.code == 2
    assert "is empty: there is nothing to send." in done.err
    assert outbox(project) == []


def test_a_dry_run_prints_and_keeps_nothing(project: Project) -> None:
    done = project.run("send", "hello", "--dry-run", "--to", "#ops")

    assert done.code == 0
    assert done.lines[0].split() == [done.lines[0][:8], "#ops", "hello"]
    assert not project.database.exists()


def test_a_token_without_a_channel_is_exit_code_2(project: Project) -> None:
    project.write("slack_alert.conf", "[slack]\ntoken = xoxb-test\n")

    done = project.run("send", "hello")

    assert done.code == 2
    assert "set `channel = #ops`" in done.err


def test_beside_a_running_program_the_text_is_left_in_its_inbox(project: Project) -> None:
    with project.owned():
        done = project.run("send", "a & b", "--to", "slack:#ops")

    (request,) = SqliteInbox(inbox_path(project.database)).peek()
    assert (done.code, done.out, done.err) == (0, "", "")
    assert request.kind == "send"
    assert request.payload["piece"] == {"text": "a &amp; b"}
    assert (request.payload["channel"], request.payload["conversation"]) == ("console", "#ops")


@pytest.mark.slow
def test_with_nobody_running_slack_gets_it_at_once(project: Project) -> None:
    with FakeSlack() as slack:
        conf = f"[slack]\ntoken = xoxb-test\nchannel = #ops\napi_url = {slack.url}\n"
        project.write("slack_alert.conf", conf)

        done = project.run("send", "hello")

        assert done.code == 0, done.err
        assert [posted.text for posted in slack.messages] == ["hello"]


@pytest.mark.slow
def test_a_message_slack_refuses_is_told_with_its_number(project: Project) -> None:
    with FakeSlack() as slack:
        project.write("slack_alert.conf", f"[slack]\ntoken = xoxb-test\napi_url = {slack.url}\n")

        done = project.run("send", "hello", "--to", "#nowhere")

    assert done.code == 1
    assert "Message 1 is dead: channel_not_found: #nowhere does not exist" in done.err


@pytest.mark.parametrize("words", [("send",), ("send", "--dry-run")])
def test_secrets_are_not_sent(words: tuple[str, ...], project: Project) -> None:
    secret = "https://health.example/ping/0123456789"
    project.write("slack_alert.conf", f"[slack]\nheartbeat_url = {secret}\n")

    done = project.run(*words, f"{'x' * 3_980} {secret} xoxb-1234567890-abc")

    said = done.out + done.err + "".join(line["text"] for line in outbox(project))
    assert "[secret]" in said
    assert "0123456789" not in said
    assert "xoxb" not in said
