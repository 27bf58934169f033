"""Exception types; the first line of each docstring is the default message."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.excerpts import abridged


class SlackAlertError(Exception):
    """Something in slack-alert went wrong."""

    #: What to do instead, one sentence or empty.
    hint = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(abridged(message or (type(self).__doc__ or "").strip()))

    @property
    def without_hint(self) -> str:
        """The message for people, without the hint."""
        return str(self)

    @property
    def sentences(self) -> str:
        """The message and the hint, for people."""
        said = self.without_hint
        return f"{said}{'' if said.endswith(('.', '!', '?', ':')) else '.'} {self.hint}" if self.hint else said


class BadValue(SlackAlertError):
    """A value that a person wrote cannot be used."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = abridged(hint)


class SettingsError(SlackAlertError):
    """The configuration cannot be used."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        #: File and line, flag or variable the value came from; empty if unknown.
        self.where = abridged(where)
        self.hint = abridged(hint)

    def __str__(self) -> str:
        """Return the place, the message and the hint, separated by spaces; empty parts are left out."""
        return f"{self.without_hint} {self.hint}".strip()

    @property
    def without_hint(self) -> str:
        """The place and the message."""
        return f"{self.where}: {self.args[0]}" if self.where else self.args[0]


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
        #: The delay that the service asked for.
        self.after = after


class ProgramError(SlackAlertError):
    """A program that a command runs has failed."""

    def __init__(self, program: str, code: int, output: str) -> None:
        self.program = program
        #: `exit code 3`, or `signal 9`.
        self.ending = f"exit code {code}" if code >= 0 else f"signal {-code}"
        self.output = output
        super().__init__(f"{program} ended with {self.ending}")


class ActionFailed(SlackAlertError):
    """An action says itself that it has failed."""

    def __init__(self, said: object) -> None:
        super().__init__(str(said))


class GivenUpError(BaseException):
    """A plugin file was still loading when its time was over; raised in it, so that a loop without an end has one."""
