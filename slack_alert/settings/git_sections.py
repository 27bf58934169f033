"""Read the repositories of the sections [git.NAME], and the owners of their files from [owners.NAME]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from slack_alert.core.commands.roles import MemberKind, Roles, parse_members
from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import suggestion
from slack_alert.settings.hook_sections import HOSTS, Given, ReadSecret
from slack_alert.settings.model import GitSection
from slack_alert.settings.secret import quoted, settings_error
from slack_alert.settings.value_sources import GivenValue, SettingFault


def read_git(
    sections: Mapping[str, Given],
    owners: Mapping[str, GivenValue],
    secret: ReadSecret,
    roles: Roles,
    faults: list[SettingFault],
) -> tuple[GitSection, ...]:
    """Return the repositories by name; sections with a hook alone have none. What is wrong is added to the faults."""
    found: list[GitSection] = []
    lines = dict(_lines(owners, sections, roles, faults))
    for name, given in sections.items():
        if given.get("host") is None or given["host"].text not in HOSTS or not given.keys() & _OF_REPOSITORIES:
            continue  # The hook says what is wrong with the host.
        try:
            found.append(_repository(name, given, secret, lines.get(name, ())))
        except BadValue as error:
            at = min(given.values(), key=lambda one: one.place)
            said = f"[git.{name}] {str(error).removesuffix('.')}."
            faults.append(SettingFault(at.place, settings_error(said, where=at.where, hint=error.hint)))
    return tuple(found)


def check_default(given: GivenValue | None, found: tuple[GitSection, ...], faults: list[SettingFault]) -> None:
    """Report a default that is no repository."""
    names = [each.name for each in found]
    if names and given is not None and given.text and given.text not in names:
        said = f"[git] default: there is no [git.{given.text}] with a repo."
        fault = settings_error(said, where=given.where, hint=suggestion(given.text, names))
        faults.append(SettingFault(given.place, fault))


def _repository(name: str, given: Given, secret: ReadSecret, owners: tuple[str, ...]) -> GitSection:
    if not _NAME.fullmatch(name):
        raise BadValue("is not a name of a repository", hint="Write small letters, digits, - and _: [git.shop].")
    host, repo = given["host"].text, _text(given, "repo").strip("/")
    is_path = _GITLAB_REPO if host == "gitlab" else _REPO
    if not is_path.fullmatch(repo) or any(not part.strip(".") for part in repo.split("/")):
        said = f"repo: {quoted(repo)} is not a repository" if repo else "has no repo"
        raise BadValue(said, hint="Write its path on the host: repo = acme/shop.")
    token = secret("token", given)
    if token is None:
        raise BadValue("has no token", hint="Set token, or better token_file = /run/secrets/git.")
    approve = _text(given, "approve") or "record"
    if approve not in _APPROVE:
        hint = suggestion(approve, _APPROVE) or "Write record, or review."
        raise BadValue(f"approve: {quoted(approve)} is not a way to approve", hint=hint)
    return GitSection(name, host, _api(host, _text(given, "url")), repo, token, _test(given, host), approve, owners)


def _api(host: str, url: str) -> str:
    """Return where the API of a host is; an address without a path gets the usual one."""
    if not url:
        return _URLS[host]
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.username or parts.password or parts.query or parts.fragment:
        raise BadValue("url: that is not an address of an API", hint=f"Write {_URLS[host]}, without a user or a ?.")
    path = parts.path.rstrip("/") or (urlsplit(_URLS[host]).path if host != "github" else "")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _test(given: Given, host: str) -> str:
    test = _text(given, "test")
    kind, _, name = test.partition(":")
    if test and (kind not in _TESTS or not name):
        raise BadValue(f"test: {quoted(test)} is nothing that tests", hint=f"Write {', '.join(_TESTS.values())}.")
    if kind in HOSTS and kind != host:
        raise BadValue(f"test: {quoted(test)} is of another host", hint=f"The host is {host}; command:NAME is for all.")
    if kind == "gitlab" and name != "pipeline":
        raise BadValue(f"test: {quoted(test)} is nothing that tests", hint="Write gitlab:pipeline.")
    if kind == "github" and not _WORKFLOW.fullmatch(name):
        hint = "Write the name of its file, as in github:ci.yml."
        raise BadValue(f"test: {quoted(name)} is not a workflow", hint=hint)
    return test


def _lines(
    owners: Mapping[str, GivenValue], sections: Mapping[str, Given], roles: Roles, faults: list[SettingFault]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each repository with its lines of [owners.NAME], in their order, each as it is written."""
    found: dict[str, list[str]] = {}
    for key, given in sorted(owners.items(), key=lambda one: one[1].place):
        name, _, glob = key.partition(".")
        try:
            if name not in sections:
                hint = suggestion(f"owners.{name}", [f"owners.{each}" for each in sections])
                raise BadValue(f"there is no [git.{name}]", hint=hint)
            _check_owners(given.text, roles)
        except BadValue as error:
            said = f"[owners.{name}] {glob}: {str(error).removesuffix('.')}."
            faults.append(SettingFault(given.place, settings_error(said, where=given.where, hint=error.hint)))
            continue
        found.setdefault(name, []).append(f"{glob} = {given.text}")
    yield from ((name, tuple(lines)) for name, lines in found.items())


def _check_owners(text: str, roles: Roles) -> None:
    for member in parse_members(text):
        if member.kind is MemberKind.ROLE and not roles.has(member.id):
            raise BadValue(f"there is no role {member.id}", hint=roles.nearest(member.id))


def _text(given: Given, key: str) -> str:
    return given[key].text if key in given else ""


#: What a section with a hook alone does not have.
_OF_REPOSITORIES = frozenset({"url", "repo", "token", "token_file", "test", "approve"})
_URLS = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
    "gitee": "https://gitee.com/api/v5",
    "gitea": "https://gitea.com/api/v1",
}
_APPROVE = ("record", "review")
_TESTS = {
    "command": "command:NAME",
    "github": "github:ci.yml",
    "gitlab": "gitlab:pipeline",
    "jenkins": "jenkins:JOB",
}
_NAME = lazy_pattern(r"[a-z0-9][a-z0-9_-]*")
_REPO = lazy_pattern(r"[\w.-]+/[\w.-]+")
_GITLAB_REPO = lazy_pattern(r"[\w.-]+(?:/[\w.-]+)+")
_WORKFLOW = lazy_pattern(r"[\w.-]+")
