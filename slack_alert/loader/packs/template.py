"""The files of a new pack: short, worth reading, and with a test that passes."""

from __future__ import annotations

from collections.abc import Mapping

_MANIFEST = """\
# What this pack is called, what can be configured, and what its events carry.
name = "{name}"
version = "0.1.0"
description = "Watch folders, and say which files are gone."

# ctx.config["directories"], from `directories = /etc, /srv/conf` in section [pack.{name}] of slack_alert.conf.
# Types: str int float bool datetime duration path url secret, and list[...] of each; `required = true` instead of a
# default; `choices = [...]`.
[config.directories]
type = "list[path]"
default = ["inbox"]
description = "The folders to watch"

# The payload of the event {name}.changed_file. Fields are optional unless required; one of another type is refused.
[events.changed_file]
path = {{type = "path", required = true}}
status = ["created", "deleted"]
"""

_PLUGIN = '''\
"""Watch folders: what is new in them, and what is gone."""
# `deco` is a mark that slack-alert reads from the source: it needs no import and need not exist.
# These lines tell linters and editors; or write `from slack_alert import deco` for a typed one that does nothing.
# ruff: noqa: F821
# flake8: noqa: F821
# pylint: disable=undefined-variable
# mypy: disable-error-code="name-defined"
# pyright: reportUndefinedVariable=false


@deco(seconds=30, emits="changed_file")
def watch(ctx):
    """Look every 30 seconds; each item of the returned list becomes an event, {name}.changed_file."""
    now = sorted(str(path) for folder in ctx.config["directories"] for path in folder.rglob("*"))
    before = ctx.store.get("seen")  # kept over restarts, together with the events
    ctx.store.set("seen", now)
    if before is None:  # The first look only notes what is there.
        return []
    created = [{{"path": path, "status": "created"}} for path in now if path not in before]
    deleted = [{{"path": path, "status": "deleted"}} for path in before if path not in now]
    return created + deleted


@deco(on="changed_file", where={{"status": "deleted"}})
def tell(path):
    """Run when such an event comes; what it returns goes to the channel."""
    return f"{{path}} is gone"
'''

_TEST = '''\
"""Run it with `slack-alert pack check {name}`, or with pytest."""

from pathlib import Path

PACK = Path(__file__).parents[1]


def test_a_deleted_file_is_told(slack_alert, tmp_path):
    (tmp_path / "a.conf").touch()
    slack_alert.load(PACK, config={{"directories": [tmp_path]}})
    slack_alert.advance(seconds=30)  # no waiting: the clock is the test's

    (tmp_path / "a.conf").unlink()
    said = slack_alert.advance(seconds=30)

    assert [one.text for one in said] == [f"{{tmp_path / 'a.conf'}} is gone"]


def test_a_new_file_is_not_told(slack_alert, tmp_path):
    slack_alert.load(PACK, config={{"directories": [tmp_path]}})
    slack_alert.advance(seconds=30)

    (tmp_path / "a.conf").touch()
    assert slack_alert.advance(seconds=30) == []
'''

_README = """\
# {name}

Watches folders, and says which files are gone.

```ini
[pack.{name}]
directories = /etc, /srv/conf
```

| event | payload |
| --- | --- |
| `{name}.changed_file` | `path`, `status`: `created` or `deleted` |

`slack-alert packs` lists it, `slack-alert pack check {name}` runs its test, `slack-alert trigger {name}.watch` looks
once.
"""


def template_files(name: str) -> Mapping[str, str]:
    """Return the files of a new pack by their paths in its folder."""
    module = name.lower().replace("-", "_")
    texts = {
        "pack.toml": _MANIFEST,
        "plugin.py": _PLUGIN,
        f"tests/test_{module}.py": _TEST,
        "README.md": _README,
    }
    return {path: text.format(name=name) for path, text in texts.items()}
