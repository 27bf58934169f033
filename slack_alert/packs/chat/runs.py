"""Verbs about runs: to run a job, to cancel a run, and to be told of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert import deco
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permission_lines import Place
from slack_alert.core.commands.suggestions import commands_by_words, find_command
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address
from slack_alert.engine.batches import StartedRun
from slack_alert.operations import queue as queue_operation
from slack_alert.packs.chat._asking import asker_of, conversation_of, place_of, program_of, requester_of

if TYPE_CHECKING:
    from slack_alert import Context


@deco(command="run")
def run(ctx: Context, job: str, *fields: str) -> None:  # noqa: ARG001 - what is written is read before it runs
    """Run a job now: hours, quota and pauses do not bind it.

    Example: run disk
        run changed path=/etc/hosts
    """
    raise AssertionError("the job runs as a command of its own: see core.commands.decision")


@deco(command="cancel")
def cancel(ctx: Context, run: int) -> str:
    """End a run, or take it out of the queue; your own always.

    Example: cancel 412
    """
    program = program_of(ctx)
    state = program.queue()
    numbers = {each.run for each in (*state.running, *state.waiting)}
    going = [StartedRun(each.run, each.command, each.asked, each.started or each.asked) for each in state.running]
    asked = [each for each in program.open() if each.run in numbers]
    return queue_operation.canceled_text(queue_operation.cancel(run, asked, going, requester_of(ctx)))


@deco(command="subscribe")
def subscribe(ctx: Context, *what: str) -> str:
    """Tell this conversation when a command runs.

    With a number: when that run ends.


    Example: subscribe deploy
        subscribe 412
        subscribe deploy #releases
    """
    words, to = _split(ctx, what)
    followed = _followed(ctx, words)
    if to.channel == "terminal" and isinstance(followed, str):
        raise BadValue("A terminal is gone tomorrow.", hint=f"Name a channel: `subscribe {' '.join(words)} #ops`.")
    is_new = program_of(ctx).subscriptions.add(followed, to)
    who = _named(ctx, to)
    if isinstance(followed, int):
        return f"{who} is told when {followed} ends."
    again = "" if is_new else " already"
    return f"{who} is told{again} when `{' '.join(words)}` starts and ends; `unsubscribe {' '.join(words)}` ends that."


@deco(command="unsubscribe")
def unsubscribe(ctx: Context, *what: str) -> str:
    """Tell this conversation no more of a command.

    Without one: list what it is told of.


    Example: unsubscribe deploy
    """
    words, to = _split(ctx, what)
    subscriptions = program_of(ctx).subscriptions
    if not words:
        found = ", ".join(each.rpartition(".")[2] for each in subscriptions.at(to))
        return f"{_named(ctx, to)} is told of {found}." if found else f"{_named(ctx, to)} is told of nothing."
    was = subscriptions.remove(_followed(ctx, words), to)
    said = "is told no more of" if was else "was not told of"
    return f"{_named(ctx, to)} {said} `{' '.join(words)}`."


def _split(ctx: Context, what: tuple[str, ...]) -> tuple[list[str], Address]:
    """Return the words before a channel, and the channel; without one this conversation is meant."""
    words = list(what)
    if not (words and words[-1].startswith(("#", "@", "slack:"))) and words[-1:] != ["me"]:
        return words, place_of(ctx)
    return words[:-1], _checked(ctx, words[-1])


def _checked(ctx: Context, text: str) -> Address:
    """Return an address that somebody may have told something: this conversation, himself, or any for an admin."""
    by = asker_of(ctx)
    if text in {"me", by.id, f"@{by.id}"}:
        return Address(by.chat, by.id)
    to = program_of(ctx).address(text)
    here = place_of(ctx)
    if to == here or conversation_of(ctx).is_at(Place(to.channel, to.conversation)):
        return here
    if "admins" not in by.roles:
        raise BadValue(
            f"{text} is another conversation, and only admins may have it told something.",
            hint="Write it there, or `me` in place of the channel.",
        )
    return to


def _followed(ctx: Context, words: list[str]) -> str | int:
    """Return the full name of a command, or the number of a run that has not ended."""
    if len(words) == 1 and words[0].isdecimal():
        return _open_run(ctx, int(words[0]))
    if not words:
        raise BadValue("It is not said what.", hint="Write `subscribe deploy`, or `subscribe 412` for one run.")
    visible: list[Command] = [each for each in program_of(ctx).commands() if not each.is_hidden]
    command, rest = find_command(words, commands_by_words(visible))
    if rest:
        raise BadValue(f"`{command.words}` is followed as a whole.", hint=f"Write `subscribe {command.words}`.")
    return command.name


def _open_run(ctx: Context, number: int) -> int:
    state = program_of(ctx).queue()
    numbers = [each.run for each in (*state.running, *state.waiting)]
    if number not in numbers:
        hint = f"These run or wait: {', '.join(map(str, numbers))}." if numbers else "Nothing runs, and nothing waits."
        raise BadValue(f"There is no run {number} that will end.", hint=hint)
    return number


def _named(ctx: Context, to: Address) -> str:
    if to == place_of(ctx):
        return "This conversation"
    return "You" if to.conversation == asker_of(ctx).id else to.shown
