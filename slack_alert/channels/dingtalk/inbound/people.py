"""Say who somebody on DingTalk is: a member of the robot's own corporation, or a stranger."""

from __future__ import annotations

from slack_alert.channels.dingtalk.inbound.identities import is_staff
from slack_alert.core.model.asked import AccountStatus, Asker, Identity


class DingTalkPeople:
    """The accounts of DingTalk.

    No look-ups are needed: DingTalk writes the staff id and the corporation into whatever somebody says or presses, and
    what was translated has a staff id only where the corporation is the robot's own. There are no groups to ask for.
    """

    def known(self, identity: Identity) -> Asker:
        """Return who that is; on any thread."""
        if identity.service != "dingtalk":
            return Asker(identity, AccountStatus.UNKNOWN)
        is_member = bool(identity.team) and is_staff(identity.user)
        return Asker(identity, AccountStatus.MEMBER if is_member else AccountStatus.STRANGER)

    async def asker(self, identity: Identity) -> Asker:
        """Return who that is, which needs no answer of anybody."""
        return self.known(identity)
