"""What can go wrong, as types; each says in its own words what to do next."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.excerpts import abridged


class SlackAlertError(Exception):
    """Something in slack-alert went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(abridged(message or (type(self).__doc__ or "").strip()))


class BadValue(SlackAlertError):
    """A value that a person wrote cannot be used."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        #: What to write instead, one sentence or empty.
        self.hint = abridged(hint)


class SettingsError(SlackAlertError):
    """The configuration cannot be used."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        #: File and line, flag or variable the value came from; empty where there is none.
        self.where = abridged(where)
        self.hint = abridged(hint)

    def __str__(self) -> str:
        """Say where, what and what to do, in one sentence each."""
        said = super().__str__()
        return " ".join(part for part in (f"{self.where}:" if self.where else "", said, self.hint) if part)


class StoreError(SlackAlertError):
    """What is remembered cannot be read or written; nothing was changed, and trying again is safe."""


class NotAllowed(StoreError):
    """This user may not read or write what is remembered."""


class SetAside(StoreError):
    """A damaged file was set aside; a new one takes its place at the next use."""


class NotNow(SlackAlertError):
    """It cannot be told at the moment; asking again later may help."""

    def __init__(self, message: str = "", *, after: timedelta | None = None) -> None:
        super().__init__(message)
        #: How long the service asked to wait.
        self.after = after


class GivenUpError(BaseException):
    """A plugin file was still loading when its time was over; raised in it, so that a loop without an end has one."""
