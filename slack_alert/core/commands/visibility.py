"""Where texts of runs and alerts are shown: in their own channel, and to who may read that one."""

from __future__ import annotations

from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.model.address import UNNAMED, Address
from slack_alert.core.model.record import Outcome, Record
from slack_alert.core.structs import Struct

#: The channel of a terminal of this machine, whose user may read the database itself.
_TERMINAL = "terminal"


class Viewer(Struct, frozen=True):
    """Somebody who asks for texts, and where he is answered."""

    at: Conversation
    #: Nobody else reads the answer.
    is_direct: bool = False
    is_admin: bool = False

    @classmethod
    def of(cls, to: Address, name: str, *, is_admin: bool) -> Viewer:
        """Return who is answered at an address; `name` is that of its conversation, empty where it is not known."""
        is_direct = to.channel == "slack" and to.conversation.startswith(("D", "@"))
        is_direct = is_direct or (to.channel == "dingtalk" and "/@" in to.conversation)
        return cls(Conversation.of(to, name), is_direct, is_admin)


def may_see(viewer: Viewer, homes: str) -> bool:
    """Return whether texts may be shown whose own conversations are `homes`, as records hold them: `#ops, @ann`.

    They are shown at the terminal, in one of these conversations, and to an admin in a direct message; nobody can tell
    here who else may read a channel.
    """
    if viewer.at.service == _TERMINAL or (viewer.is_direct and viewer.is_admin):
        return True
    own = {viewer.at.id, f"#{viewer.at.name}"} - {"", "#"}
    if viewer.at.service not in UNNAMED:
        own = {f"{viewer.at.service}:{each}" for each in own}
    return not own.isdisjoint(homes.split(", "))


def concealed(record: Record, homes: str) -> Record:
    """Return a record as it is shown elsewhere: its verdict, and where its texts are."""
    text = f"(shown in {homes or 'its own channel'} only)" if record.text or record.error or record.printed else ""
    outcome = None if record.outcome is None else Outcome(text if record.outcome.said else "", record.outcome.failed)
    return record._replace(text=text, error=text if record.error else None, printed=None, outcome=outcome)
