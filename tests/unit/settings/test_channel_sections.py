"""The sections [dingtalk.NAME] and [channels], and addresses that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.settings import Settings, load_settings

WEBHOOK = "https://oapi.dingtalk.com/robot/send?access_token=hunter2"
BOT = "[dingtalk.bot]\nclient_id = ding1\nclient_secret = hunter2"


def load(folder: Path, text: str, **variables: str) -> Settings:
    conf = folder / "slack_alert.conf"
    conf.write_text(text, encoding="utf-8")
    conf.chmod(0o600)
    return load_settings({"path": str(folder)}, variables, cwd=folder, home=None).settings


def test_a_robot_of_a_group_and_one_of_an_app(tmp_path: Path) -> None:
    text = f"[dingtalk.ops]\nwebhook = {WEBHOOK}\nsecret = SEC1\nkeyword = alert\n{BOT}\ndoor = stream"
    ops, bot = sorted(load(tmp_path, text).dingtalk, key=lambda robot: robot.name, reverse=True)

    assert (ops.name, ops.webhook is not None, ops.keyword, ops.door) == ("ops", True, "alert", "")
    assert (bot.client_id, bot.robot_code, bot.door, bot.api_url) == (
        "ding1",
        "ding1",
        "stream",
        "https://api.dingtalk.com",
    )


def test_a_secret_may_be_in_a_file_or_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "webhook").write_text(f"{WEBHOOK}\n", encoding="utf-8")
    text = f"[dingtalk.ops]\nwebhook_file = {tmp_path / 'webhook'}\n[dingtalk.bot]\nclient_id = ding1"
    settings = load(
        tmp_path, text, SLACK_ALERT_DINGTALK_BOT_CLIENT_SECRET="hunter3", SLACK_ALERT_CHANNELS_PAGER="json://h4"
    )

    assert {"hunter3", WEBHOOK, "json://h4"} <= set(settings.secrets())
    assert "hunter" not in f"{settings!r}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dingtalk.ops]\nkeyword = a", "[dingtalk.ops] has neither a webhook nor a client_id."),
        ("[dingtalk.ops]\nwebhook = https://x.example/hunter2", "[dingtalk.ops] webhook: that is not the webhook"),
        ("[dingtalk.ops]\nwebhook = hunter2", "[dingtalk.ops] webhook: that is not the webhook of a robot."),
        ("[dingtalk.bot]\nclient_id = ding1", "[dingtalk.bot] has no client_secret."),
        ("[dingtalk.bot]\nclient_secret = hunter2", "[dingtalk.bot] has neither a webhook nor a client_id."),
        (f"{BOT}\ndoor = steam", "[dingtalk.bot] door: 'steam' is not a door."),
        (f"{BOT}\napi_url = dingtalk", "[dingtalk.bot] api_url: 'dingtalk' is not an address."),
        (f"[dingtalk.ops]\nwebhook = {WEBHOOK}\ndoor = stream", "door: a group's robot receives nothing."),
        (f"[dingtalk.O ps]\nwebhook = {WEBHOOK}", "is not a name of a robot."),
        ("[channels]\nslack = json://hunter2", "[channels] slack: that is not a name of a channel."),
        ("[channels]\npager = hunter2", "[channels] pager: that is not an address."),
        ("[slack]\nchannel = dingtalk:ops", "'dingtalk:ops': there is no robot 'ops'."),
        ("[slack]\nerrors_to = pagr:\n[channels]\npager = json://x", "there is no service 'pagr'. Did you mean pager?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_secrets(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, text)
    told = raised.value.sentences

    assert (said in told, "hunter2" in told) == (True, False), told
