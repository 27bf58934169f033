"""Encrypt values of `ctx.store`, with a key in a file of its own."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.stores.files.access_errors import not_allowed
from slack_alert.stores.files.paths import prepare_folder
from slack_alert.stores.files.private_file import create_private

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_SETTING = "`key_file` in [store]"


class KeyFileCipher:
    """Encrypts texts with Fernet (AES-128 in CBC mode and HMAC-SHA256); the key is made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fernet: Fernet | None = None
        self._making = Lock()

    def encrypt(self, text: str) -> str:
        """Return the text encrypted; raise StoreError where there is no library for it, or no key."""
        with self._making:
            if self._fernet is None:
                self._fernet = self._read() or self._make()
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass")).decode("ascii")

    def decrypt(self, text: str) -> str:
        """Return the text of an encrypted one; raise StoreError where the key is gone, or another one."""
        with self._making:
            if self._fernet is None:
                self._fernet = self._read()
        if self._fernet is None:
            raise StoreError(
                f"{self._path}: the key of encrypted values is not there. Put it back, or set {_SETTING}; "
                "without it they have to be set again."
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(text.encode()).decode("utf-8", "surrogatepass")
        except InvalidToken as error:
            raise StoreError(
                f"{self._path}: that is not the key with which this value was encrypted. Put the right one back, "
                "or set the value again."
            ) from error

    def _read(self) -> Fernet | None:
        """Return the cipher of the key in the file, or None where there is no file."""
        fernet = _library()
        try:
            key = self._path.read_bytes().strip()
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise not_allowed(self._path, "read") from error
        except OSError as error:
            raise StoreError(f"{self._path}: the key of encrypted values cannot be read: {error.strerror}.") from error
        try:
            return fernet(key)
        except ValueError as error:
            raise StoreError(
                f"{self._path}: that is no key of encrypted values. Put the right one back; remove it if nothing is "
                "encrypted yet, and a new one is made."
            ) from error

    def _make(self) -> Fernet:
        fernet = _library()
        try:
            prepare_folder(self._path)
            create_private(self._path, fernet.generate_key() + b"\n")
        except OSError as error:
            advice = machine_lack(error) or f"Give this user the right to write there, or set {_SETTING}."
            said = f"{self._path}: the key of encrypted values cannot be made: {error.strerror or error}."
            raise StoreError(f"{said} {advice}") from error
        made = self._read()  # Another process may have been first, and its key counts.
        assert made is not None, "it was written just now"
        return made


def _library() -> type[Fernet]:
    try:
        from cryptography.fernet import Fernet
    except ImportError as error:
        raise StoreError(
            "Encrypted values need the package `cryptography`: pip install 'slack-alert[secrets]'."
        ) from error
    return Fernet
