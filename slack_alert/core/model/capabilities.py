"""What a channel can do, and how a message is posted where it cannot."""

from __future__ import annotations

from slack_alert.core.content.pieces import Text, Upload, fallback
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.structs import Struct, replace


class Capabilities(Struct, frozen=True):
    """What can be done with messages at an address."""

    edit: bool = True
    thread: bool = True
    buttons: bool = True
    files: bool = True
    #: Whether people are called by name.
    mentions: bool = True
    #: The longest text, in characters as they are shown.
    length: int = 40_000


EVERYTHING = Capabilities()


def adapted(message: Message, capabilities: Capabilities) -> Message | None:
    """Return the message as it is posted where only this can be done; None: it is left out.

    An edit that another one follows says nothing that is worth a message of its own; the last one does.
    """
    if message.manner is DeliveryMode.EDIT and not capabilities.edit:
        if message.is_passing:
            return None
        message = replace(message, manner=DeliveryMode.POST, root="")
    if message.manner is DeliveryMode.REPLY and not capabilities.thread:
        message = replace(message, manner=DeliveryMode.POST, root="")
    if message.buttons and not capabilities.buttons:
        message = replace(message, buttons=())
    if isinstance(message.piece, Upload) and not capabilities.files:
        message = replace(message, piece=Text(f"{fallback(message.piece)}\n_This file is not shown here._"))
    return message
