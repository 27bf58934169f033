"""The Slack app that slack-alert needs: its scopes and their purposes, and its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping

#: The scopes without which nothing is sent.
REQUIRED = frozenset({"chat:write"})

#: Scopes by name, with their purposes.
SCOPES: Mapping[str, str] = {
    "chat:write": "to post messages",
    "chat:write.public": "to post in public channels nobody invited the app to",
    "chat:write.customize": "to post under the name and icon of `username`, `icon_emoji` and `icon_url`",
    "files:write": "to upload files and pictures",
    "channels:read": "to find public channels by name",
    "groups:read": "to find private channels by name",
    "channels:history": "to look in public channels and threads before a message is repeated after a broken connection",
    "groups:history": "the same in private channels",
    "im:history": "the same in direct messages",
    "metadata.message:read": "to recognize its own messages when looking",
    "users:read": "to call people by name: @ann",
    "im:write": "to upload files to a person",
}


def manifest() -> str:
    """Return the app manifest as JSON, to be pasted under Create New App, From a manifest."""
    app = {
        "display_information": {
            "name": "slack-alert",
            "description": "Says what your Python functions return.",
            "background_color": "#2c2d30",
        },
        "features": {
            # Without the tab, direct messages of the app are refused: messages_tab_disabled.
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "slack-alert", "always_online": True},
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {"org_deploy_enabled": False, "socket_mode_enabled": False, "token_rotation_enabled": False},
    }
    return json.dumps(app, indent=2) + "\n"
