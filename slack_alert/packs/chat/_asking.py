"""What the verbs need to know of the program, of who asks, and of where."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.visibility import Viewer
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import AskedBy
from slack_alert.operations.program import Program
from slack_alert.operations.requester import Requester

if TYPE_CHECKING:
    from slack_alert import Context


def program_of(ctx: Context) -> Program:
    """Return the running program."""
    return cast(Program, ctx.program)


def asker_of(ctx: Context) -> AskedBy:
    """Return who asks."""
    assert ctx.by is not None, "a person asked"
    return ctx.by


def place_of(ctx: Context) -> Address:
    """Return where the answer goes."""
    assert ctx.reply_to is not None, "a person is answered"
    return ctx.reply_to


def conversation_of(ctx: Context) -> Conversation:
    """Return the conversation in which it is asked."""
    to = place_of(ctx)
    return Conversation.of(to, program_of(ctx).channel_name(to.conversation))


def viewer_of(ctx: Context) -> Viewer:
    """Return who reads the answer."""
    to, is_admin = place_of(ctx), "admins" in asker_of(ctx).roles
    return Viewer.of(to, program_of(ctx).channel_name(to.conversation), is_admin=is_admin)


def requester_of(ctx: Context) -> Requester:
    """Return the person as one who asks for a change."""
    return program_of(ctx).requester(asker_of(ctx))
