"""Who somebody is, by the service of the account."""

from __future__ import annotations

from collections.abc import Mapping

from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.engine.ports import People

#: The services of whoever sits at a terminal of this machine, and of who shows a token of the HTTP API.
_KNOWN = frozenset({"cli", "web"})


class PeopleOfServices:
    """Asks the service of an account who that is."""

    def __init__(self, services: Mapping[str, People]) -> None:
        self._services = services

    def known(self, identity: Identity) -> Asker | None:
        """Return who that is, or None where a service must be asked; an account of one not configured is unknown."""
        if identity.service in _KNOWN:
            return Asker(identity, AccountStatus.TERMINAL)
        people = self._services.get(identity.service)
        return Asker(identity, AccountStatus.UNKNOWN) if people is None else people.known(identity)

    async def asker(self, identity: Identity) -> Asker:
        """Return who that is, and ask its service where that is not known."""
        return self.known(identity) or await self._services[identity.service].asker(identity)
