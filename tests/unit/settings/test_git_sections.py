"""The sections [git], [git.NAME] and [owners.NAME]."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.settings import Settings, load_settings

SHOP = "[git.shop]\nhost = github\nrepo = acme/shop\ntoken = hunter2"


def load(folder: Path, text: str, **variables: str) -> Settings:
    conf = folder / "slack_alert.conf"
    conf.write_text(text, encoding="utf-8")
    conf.chmod(0o600)
    return load_settings({"path": str(folder)}, variables, cwd=folder, home=None).settings


def test_a_repository_has_the_address_of_its_host(tmp_path: Path) -> None:
    (shop,) = load(tmp_path, SHOP).git

    assert (shop.name, shop.host, shop.repo) == ("shop", "github", "acme/shop")
    assert (shop.url, shop.test, shop.approve) == ("https://api.github.com", "", "record")


@pytest.mark.parametrize(
    ("host", "url", "found"),
    [
        ("github", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3"),
        ("github", "http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("gitlab", "", "https://gitlab.com/api/v4"),
        ("gitlab", "https://git.example.com", "https://git.example.com/api/v4"),
        ("gitlab", "https://example.com/gitlab/api/v4", "https://example.com/gitlab/api/v4"),
        ("gitee", "", "https://gitee.com/api/v5"),
        ("gitea", "https://codeberg.org/", "https://codeberg.org/api/v1"),
    ],
)
def test_an_address_without_a_path_gets_the_usual_one(tmp_path: Path, host: str, url: str, found: str) -> None:
    (shop,) = load(tmp_path, SHOP.replace("github", host) + (f"\nurl = {url}" if url else "")).git

    assert shop.url == found


def test_all_can_be_set_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter3\n", encoding="utf-8")
    settings = load(
        tmp_path,
        SHOP,
        SLACK_ALERT_GIT_DEFAULT="shop",
        SLACK_ALERT_GIT_SHOP_TOKEN="hunter4",
        SLACK_ALERT_GIT_SITE_HOST="gitlab",
        SLACK_ALERT_GIT_SITE_REPO="acme/web/site",
        SLACK_ALERT_GIT_SITE_TOKEN_FILE=str(tmp_path / "token"),
        SLACK_ALERT_GIT_SITE_TEST="gitlab:pipeline",
    )

    assert [(each.name, each.repo, each.test) for each in settings.git] == [
        ("shop", "acme/shop", ""),
        ("site", "acme/web/site", "gitlab:pipeline"),
    ]
    assert settings.git_default == "shop"
    assert {"hunter3", "hunter4"} <= set(settings.secrets())
    assert "hunter" not in f"{settings!r}"


def test_owners_are_kept_as_they_are_written(tmp_path: Path) -> None:
    owners = "[roles]\nrelease = U123\n[owners.shop]\ndb/**/*.sql = github:ann, release\n*.py = U123"
    (shop,) = load(tmp_path, f"{SHOP}\n{owners}", SLACK_ALERT_OWNERS_SHOP_PY="U456").git

    assert shop.owners == ("*.py = U456", "db/**/*.sql = github:ann, release")


def test_a_hook_alone_is_no_repository(tmp_path: Path) -> None:
    settings = load(tmp_path, "[git.shop]\nhost = gitea\nhook_secret = s")

    assert (settings.git, settings.packs, len(settings.hooks)) == ((), None, 1)


def test_the_pack_reads_plain_values_and_shows_no_token(tmp_path: Path) -> None:
    packs = load(tmp_path, SHOP).packs
    assert packs is not None
    config = packs.of(["git"])["git"].read
    assert config is not None

    assert (config["default"], config["repositories"], config["shop.repo"]) == ("shop", ["shop"], "acme/shop")
    assert config["shop.token"] == "hunter2"
    assert "hunter2" not in f"{config!r}"
    assert "hunter2" not in f"{packs!r}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[git.shop]\nhost = githup\nrepo = a/b", "[git.shop] host: 'githup' is not a host."),
        ("[git.shop]\nrepo = a/b", "[git.shop] has no host."),
        ("[git.shop]\nhost = github\ntoken = hunter2", "[git.shop] has no repo."),
        ("[git.shop]\nhost = github\nrepo = shop\ntoken = hunter2", "[git.shop] repo: 'shop' is not a repository."),
        ("[git.shop]\nhost = github\nrepo = a/..\ntoken = hunter2", "[git.shop] repo: 'a/..' is not a repository."),
        ("[git.shop]\nhost = github\nrepo = a/b/c\ntoken = hunter2", "[git.shop] repo: 'a/b/c' is not a repository."),
        ("[git.shop]\nhost = github\nrepo = a/b", "[git.shop] has no token."),
        ("[git.Sh op]\nhost = github\nrepo = a/b\ntoken = hunter2", "is not a name of a repository."),
        (f"{SHOP}\nurl = hunter2", "[git.shop] url: that is not an address of an API."),
        (f"{SHOP}\nurl = https://ann:hunter2@x.example", "[git.shop] url: that is not an address of an API."),
        (f"{SHOP}\napprove = revue", "[git.shop] approve: 'revue' is not a way to approve."),
        (f"{SHOP}\ntest = make", "[git.shop] test: 'make' is nothing that tests."),
        (f"{SHOP}\ntest = gitlab:pipeline", "[git.shop] test: 'gitlab:pipeline' is of another host."),
        (f"{SHOP}\ntest = github:../x", "[git.shop] test: '../x' is not a workflow."),
        (f"{SHOP}\ntoken_file = x", "[git.shop] token and token_file are both set."),
        (f"{SHOP}\n[git]\ndefault = shup", "[git] default: there is no [git.shup] with a repo."),
        (f"{SHOP}\n[owners.shup]\ndb/** = U1", "[owners.shup] db/**: there is no [git.shup]."),
        (f"{SHOP}\n[owners.shop]\ndb/** = relaese", "[owners.shop] db/**: there is no role relaese."),
        (f"{SHOP}\n[owners.shop]\ndb/** =", "[owners.shop] db/**: nobody is named."),
    ],
)
def test_what_is_wrong_stops_the_start_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)

    assert said in str(caught.value)
    assert caught.value.hint
    assert "hunter2" not in str(caught.value)
