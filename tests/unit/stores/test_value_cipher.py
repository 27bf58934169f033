"""Values of `ctx.store` are encrypted with a key in a file of its own."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slack_alert.core.errors import StoreError
from slack_alert.stores.files.value_cipher import KeyFileCipher


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "store.key"


def test_what_is_encrypted_is_read_by_whoever_has_the_key(path: Path) -> None:
    hidden = KeyFileCipher(path).encrypt('"hunter2"')

    assert "hunter2" not in hidden
    assert KeyFileCipher(path).decrypt(hidden) == '"hunter2"'
    assert KeyFileCipher(path).encrypt('"hunter2"') != hidden


@given(text=some.text(alphabet=some.characters(exclude_categories=())))
def test_any_text_comes_back(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cipher = KeyFileCipher(tmp_path_factory.getbasetemp() / "any.key")

    assert cipher.decrypt(cipher.encrypt(text)) == text


def test_the_key_is_for_its_owner_alone_and_nothing_else_is_left(path: Path) -> None:
    KeyFileCipher(path).encrypt("x")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".key" or "key." in each.name] == [path.name]


def test_reading_makes_no_key(path: Path) -> None:
    with pytest.raises(StoreError, match=r"store\.key: the key of encrypted values is not there\. Put it back"):
        KeyFileCipher(path).decrypt("gAAAA")
    assert not path.exists()


def test_another_key_is_told(path: Path) -> None:
    hidden = KeyFileCipher(path).encrypt("x")
    path.unlink()
    KeyFileCipher(path).encrypt("y")

    with pytest.raises(StoreError, match=r"that is not the key with which this value was encrypted"):
        KeyFileCipher(path).decrypt(hidden)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 44, b"x" * 44])
def test_a_file_without_a_key_is_told_and_stays(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"store\.key: that is no key of encrypted values"):
        KeyFileCipher(path).encrypt("x")
    assert path.read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_may_not_be_read_is_told(path: Path) -> None:
    KeyFileCipher(path).encrypt("x")
    path.chmod(0)

    with pytest.raises(StoreError, match="may not read it"):
        KeyFileCipher(path).encrypt("x")


def test_without_the_library_the_command_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)

    with pytest.raises(StoreError, match=r"pip install 'slack-alert\[secrets\]'"):
        KeyFileCipher(path).encrypt("x")
    assert not path.exists()


def test_of_two_that_make_a_key_at_once_one_counts(path: Path) -> None:
    first, second = KeyFileCipher(path), KeyFileCipher(path)
    assert second._read() is None
    hidden = first.encrypt("x")
    made = second._make()

    assert made.decrypt(hidden.encode()) == b"x"
