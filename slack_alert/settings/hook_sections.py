"""Read the hooks of the web server from the sections [webhook.NAME] and [git.NAME]."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import suggestion
from slack_alert.settings.model import HookSection
from slack_alert.settings.secret import Secret, quoted, settings_error
from slack_alert.settings.value_sources import GivenValue, SettingFault

#: The hosts of repositories whose hooks are known.
HOSTS = ("github", "gitlab", "gitee", "gitea")
#: The names that hooks at /hooks/NAME cannot have: those of services.
_TAKEN = (*HOSTS, "slack", "dingtalk")

Given = Mapping[str, GivenValue]
#: Returns a secret of a section, written there or in a file, or None; raises BadValue.
ReadSecret = Callable[[str, Given], "Secret | None"]


def read_hooks(
    sections: Mapping[str, Mapping[str, Given]], secret: ReadSecret, faults: list[SettingFault]
) -> tuple[HookSection, ...]:
    """Return the hooks of the sections, by kind and name; what is wrong is added to the faults."""
    found: list[HookSection] = []
    for kind, read in (("webhook", _webhook), ("git", _git)):
        for name, given in sections[kind].items():
            try:
                hook = read(name, given, secret)
            except BadValue as error:
                at = min(given.values(), key=lambda one: one.place)
                said = f"[{kind}.{name}] {str(error).removesuffix('.')}."
                faults.append(SettingFault(at.place, settings_error(said, where=at.where, hint=error.hint)))
                continue
            found += [hook] if hook is not None else []
    return tuple(found)


def _webhook(name: str, given: Given, secret: ReadSecret) -> HookSection:
    if not _NAME.fullmatch(name) or name in _TAKEN:
        hint = "Write small letters, digits, - and _, and none of the services: " + ", ".join(_TAKEN) + "."
        raise BadValue("is not a name of a hook", hint=hint)
    found = secret("secret", given)
    if found is None:
        raise BadValue("has no secret", hint="Set secret = ..., or secret_file, to what the sender is given as well.")
    kind, _, header = _text(given, "signature").partition(":")
    if (kind and kind not in _SIGNATURES) or (kind and not _HEADER.fullmatch(header)):
        said = f"signature: {quoted(given['signature'].text)} is not a signature"
        raise BadValue(said, hint="Write hmac-sha256:X-Signature, or header:X-Token where the secret itself is sent.")
    id_header = _text(given, "id").removeprefix("header:")
    if id_header and not _HEADER.fullmatch(id_header):
        raise BadValue(f"id: {quoted(given['id'].text)} is not a header", hint="Write header:X-Delivery.")
    return HookSection(name, "webhook", found, (header or _DEFAULT_HEADER).lower(), kind != "header", id_header.lower())


def _git(name: str, given: Given, secret: ReadSecret) -> HookSection | None:
    host = _text(given, "host")
    if host not in HOSTS:
        hint = suggestion(host, HOSTS) or f"Write host = {', '.join(HOSTS[:-1])} or {HOSTS[-1]}."
        raise BadValue(f"host: {quoted(host)} is not a host" if host else "has no host", hint=hint)
    found = secret("hook_secret", given)
    return None if found is None else HookSection(name, host, found)


def _text(given: Given, key: str) -> str:
    return given[key].text if key in given else ""


_SIGNATURES = ("hmac-sha256", "header")
_DEFAULT_HEADER = "x-signature"
_NAME = lazy_pattern(r"[a-z0-9][a-z0-9_-]*")
_HEADER = lazy_pattern(r"[A-Za-z0-9-]+")
