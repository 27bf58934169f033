"""Look into a mailbox, and tell what matters of the mail that came since the last look. Nothing is marked as read."""

from __future__ import annotations

import email
import imaplib
import ssl
from contextlib import contextmanager, suppress
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from slack_alert import deco

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message

    from slack_alert import Context

_HEADERS = "(UID BODY.PEEK[HEADER.FIELDS (FROM SUBJECT LIST-UNSUBSCRIBE PRECEDENCE AUTO-SUBMITTED)])"
#: In seconds.
_PATIENCE = 30.0
#: So many are looked at each time; the rest comes the next time.
_MOST = 200


@deco(minutes=2, timeout="100s", max_alert=0)
def important(ctx: Context) -> list[str]:
    """Tell the unread mail that matters, each once, in one message."""
    config = ctx.config
    with _mailbox(config) as mailbox:
        validity = _number(mailbox.response("UIDVALIDITY")[1])
        told = ctx.store.get("told") or {}
        if told.get("validity") != validity:
            # Another mailbox, or the first look: what came before is no news.
            ctx.store.set("told", {"validity": validity, "uid": _newest(mailbox)})
            return []
        last = told["uid"]
        found = dict(_unread(mailbox, last))
    if found:
        ctx.store.set("told", {"validity": validity, "uid": max(found)})
    return [_line(one) for _, one in sorted(found.items()) if _matters(one, config)]


@contextmanager
def _mailbox(config: Mapping[str, Any]) -> Iterator[imaplib.IMAP4]:
    """Open the folder, to read only; raise RuntimeError with what the server says."""
    mailbox = imaplib.IMAP4_SSL(
        config["host"], config["port"], ssl_context=ssl.create_default_context(), timeout=_PATIENCE
    )
    try:
        try:
            mailbox.login(config["user"], config["password"])
        except imaplib.IMAP4.error as error:
            raise RuntimeError(f"{config['host']} refuses {config['user']}: {_said(error)}") from None
        status, answer = mailbox.select(_quoted(config["folder"]), readonly=True)
        if status != "OK":
            raise RuntimeError(f"there is no folder {config['folder']}: {_text(answer[0])}")
        yield mailbox
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            mailbox.logout()


def _newest(mailbox: imaplib.IMAP4) -> int:
    return max((int(uid) for uid in _search(mailbox, "ALL")), default=0)


def _unread(mailbox: imaplib.IMAP4, last: int) -> Iterator[tuple[int, Message]]:
    # `n:*` always has the last one, also where its UID is smaller.
    uids = sorted(uid for found in _search(mailbox, "UNSEEN", f"UID {last + 1}:*") if (uid := int(found)) > last)
    if not uids:
        return
    _, parts = mailbox.uid("FETCH", ",".join(map(str, uids[:_MOST])), _HEADERS)
    for part in parts:
        if isinstance(part, tuple):
            yield _uid(part[0]), email.message_from_bytes(part[1])


def _search(mailbox: imaplib.IMAP4, *criteria: str) -> list[bytes]:
    status, found = mailbox.uid("SEARCH", *criteria)
    if status != "OK":
        raise RuntimeError(f"the server does not search: {_text(found[0])}")
    return (found[0] or b"").split()


def _matters(mail: Message, config: Mapping[str, Any]) -> bool:
    """Return whether mail is from a sender or about a word that was named; of all senders where nothing was."""
    if not config["bulk"] and _is_bulk(mail):
        return False
    senders, words = config["from"], config["subject"]
    if not (senders or words):
        return True
    sender, subject = parseaddr(mail.get("From", ""))[1].lower(), _decoded(mail.get("Subject", "")).lower()
    named = any(sender == one.lower() or (one.startswith("@") and sender.endswith(one.lower())) for one in senders)
    return named or any(word.lower() in subject for word in words)


def _is_bulk(mail: Message) -> bool:
    automatic = mail.get("Auto-Submitted", "no").lower() != "no"
    return "List-Unsubscribe" in mail or mail.get("Precedence", "").lower() in {"bulk", "list", "junk"} or automatic


def _line(mail: Message) -> str:
    name, address = parseaddr(_decoded(mail.get("From", "")))
    return f"{name or address or 'nobody'}: {_decoded(mail.get('Subject', '')) or '(no subject)'}"


def _decoded(text: str) -> str:
    try:
        return " ".join(str(make_header(decode_header(text))).split())
    except (LookupError, UnicodeError, ValueError):
        return " ".join(text.split())


def _uid(head: bytes) -> int:
    return int(head.partition(b"UID ")[2].split()[0].rstrip(b")"))


def _number(answer: list[Any]) -> int:
    return int(answer[0]) if answer and answer[0] else 0


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _said(error: Exception) -> str:
    return _text(error.args[0]) if error.args else type(error).__name__


def _text(answer: object) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
