"""A mailbox on loopback: as much of IMAP4rev1 (RFC 3501) as a reader needs, on a thread of its own."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mail:
    """A message of the mailbox."""

    uid: int
    headers: str
    is_read: bool = False


@dataclass
class Mailbox:
    """One folder of one account."""

    user: str = "ann"
    password: str = "s3cret"
    folder: str = "INBOX"
    validity: int = 7
    mails: list[Mail] = field(default_factory=list)
    port: int = 0
    #: The commands that it was given, without their tags.
    asked: list[str] = field(default_factory=list)

    def add(self, headers: str, *, is_read: bool = False) -> None:
        uid = max((mail.uid for mail in self.mails), default=0) + 1
        self.mails.append(Mail(uid, headers, is_read))


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Serve a mailbox while the block goes on."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _serve(self, box)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()


def _serve(session: socketserver.StreamRequestHandler, box: Mailbox) -> None:
    session.wfile.write(b"* OK ready\r\n")
    state = "out"
    while state != "over" and (line := session.rfile.readline()):
        tag, _, rest = line.strip().decode().partition(" ")
        box.asked.append(rest)
        verb = rest.split()[0].upper()
        needed, act = _VERBS.get(verb, ("", _refuse))
        answered, state = act(rest, box, state) if state in needed or not needed else ([b"BAD not now"], state)
        *untagged, end = answered
        session.wfile.write(b"".join(b"* " + each + b"\r\n" for each in untagged) + tag.encode() + b" " + end + b"\r\n")


def _refuse(_rest: str, _box: Mailbox, state: str) -> tuple[list[bytes], str]:
    return [b"BAD unknown command"], state


def _login(rest: str, box: Mailbox, state: str) -> tuple[list[bytes], str]:
    if rest != f'LOGIN {box.user} "{box.password}"':
        return [b"NO [AUTHENTICATIONFAILED] wrong password"], state
    return [b"OK done"], "in"


def _examine(rest: str, box: Mailbox, state: str) -> tuple[list[bytes], str]:
    if rest != f'EXAMINE "{box.folder}"':
        return [b"NO no such folder"], state
    found = [f"{len(box.mails)} EXISTS".encode(), f"OK [UIDVALIDITY {box.validity}] ok".encode()]
    return [*found, b"OK done"], "open"


#: In which states a verb is allowed, and what it does; EXAMINE is as SELECT, to read only.
_VERBS = {
    "CAPABILITY": (("out", "in", "open"), lambda _rest, _box, state: ([b"CAPABILITY IMAP4rev1", b"OK done"], state)),
    "LOGIN": (("out",), _login),
    "EXAMINE": (("in", "open"), _examine),
    "UID": (("open",), lambda rest, box, state: ([*_answer(rest, box), b"OK done"], state)),
    "LOGOUT": (("out", "in", "open"), lambda _rest, _box, _state: ([b"BYE", b"OK done"], "over")),
}


def _answer(rest: str, box: Mailbox) -> Iterator[bytes]:
    words = rest.split(maxsplit=2)
    if words[1] == "SEARCH":
        yield b" ".join([b"SEARCH", *(str(mail.uid).encode() for mail in _found(words[2], box))])
        return
    wanted = {int(uid) for uid in words[2].split()[0].split(",")}
    for number, mail in enumerate(box.mails, 1):
        if mail.uid in wanted:
            content = mail.headers.replace("\n", "\r\n").encode() + b"\r\n\r\n"
            fields = b"BODY[HEADER.FIELDS (FROM SUBJECT LIST-UNSUBSCRIBE PRECEDENCE AUTO-SUBMITTED)]"
            head = f"{number} FETCH (UID {mail.uid} ".encode() + fields
            yield head + f" {{{len(content)}}}\r\n".encode() + content + b")"


def _found(criteria: str, box: Mailbox) -> Iterator[Mail]:
    bound = re.search(r"UID (\d+):\*", criteria)
    last = box.mails[-1:] if bound else []
    for mail in box.mails:
        # `n:*` is a range whichever end is greater, so the last message is always in it.
        is_in = bound is None or mail.uid >= int(bound[1]) or mail in last
        if is_in and not ("UNSEEN" in criteria and mail.is_read):
            yield mail
