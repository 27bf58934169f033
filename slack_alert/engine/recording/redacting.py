"""Take secrets out of what is written down, once on each way out.

- What a function gives (values, exceptions, names of numbers): where it is rendered, in the process that knows the
  secrets and before anything is laid out, cut or journaled, because half of a secret is not found
  (`executors/calling/rendering.py`; a child process knows none and hands over drafts to `executors/isolated`). Of the
  messages and records that are made of it, the recorder below searches those of several lines once more: they may join
  what a run has said in parts, and a secret with it.
- What the program itself says, what a service answers, and what runs print for the history: by the recorder below.
- The secrets that people type are known to that same redaction while what they asked for is open
  (`engine/commands/commands.py`).
- What `exec`, `send` and `report` leave for the running program: in the command, before it is left.
- What a command prints, and the log: where it is printed (`cli/output/streams.py`, `cli/logs.py`).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from slack_alert.core.content.drafts import Draft, lay_out, without_seams
from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.message import DeliveryProgress, Message, RunPart
from slack_alert.core.model.record import Record
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import asdict, replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Recorder


class RedactingRecorder:
    """Redacts batches and records, and passes them on to another recorder."""

    def __init__(self, recorder: Recorder, redaction: Redaction) -> None:
        self._recorder = recorder
        self._redaction = redaction

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Redact the batch, and commit it soon, in order."""
        redaction = self._redaction
        if batch.messages:
            batch.messages = [redacted_message(message, redaction) for message in batch.messages]
        if batch.summaries:
            batch.summaries = [redacted_message(message, redaction) for message in batch.summaries]
        if batch.records:
            batch.records = [redacted_record(record, redaction) for record in batch.records]
        if batch.progress:
            batch.progress = [redacted_progress(progress, redaction) for progress in batch.progress]
        if batch.audit:
            batch.audit = [redacted_entry(entry, redaction) for entry in batch.audit]
        self._recorder.submit(batch, then)

    def record_quiet(self, record: Record) -> None:
        """Redact a quiet line of history, and write it within a second."""
        self._recorder.record_quiet(redacted_record(record, self._redaction) if record.printed else record)


def cleaned_pieces(drafts: Iterable[Piece], redaction: Redaction) -> tuple[Piece, ...]:
    """Return pieces without secrets; drafts are redacted before they are laid out."""
    return lay_out([each if isinstance(each, Draft) else redacted_piece(each, redaction) for each in drafts], redaction)


def redacted_message(message: Message, redaction: Redaction) -> Message:
    """Return the message without secrets; a line of a run has none."""
    if isinstance(message.origin, RunPart) and not (isinstance(message.piece, Text) and "\n" in message.piece.text):
        return message
    piece = redacted_piece(message.piece, redaction)
    return message if piece is message.piece else replace(message, piece=piece)


def redacted_record(record: Record, redaction: Redaction) -> Record:
    """Return the line of history without secrets; a text of one line has none, as a run's value was redacted."""
    is_long = "\n" in record.text or record.outcome is not None
    if not (is_long or record.printed or record.asked_by or record.reasons):  # As most.
        return record
    texts = {"printed": record.printed, "asked_by": record.asked_by, "text": record.text if is_long else None}
    changed = _redacted_texts(texts, redaction)
    if record.outcome is not None:
        changed["outcome"] = replace(record.outcome, said=redaction(record.outcome.said))
    told = [(reason, _redacted_texts(asdict(reason), redaction)) for reason in record.reasons]
    if any(fields for _, fields in told):
        changed["reasons"] = tuple([replace(reason, **fields) for reason, fields in told])
    return record._replace(**changed) if changed else record


def redacted_entry(entry: AuditEntry, redaction: Redaction) -> AuditEntry:
    """Return the entry of the audit without secrets, and as any database and the journal keep it."""
    from slack_alert.core.commands.audit_chain import keepable  # Most programs have no commands.

    kept = keepable(entry)
    texts = _redacted_texts(asdict(kept), redaction)
    if kept.params:
        texts["params"] = cast("Mapping[str, object]", _redacted_json(kept.params, redaction))
    return replace(kept, **texts) if texts else kept


def _redacted_texts(fields: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    texts = {name: text for name, text in fields.items() if type(text) is str and text}
    before = list(texts.values())
    after = redaction.redact_all(before)
    if after is before:  # As mostly.
        return {}
    return {name: cleaned for name, cleaned in zip(texts, after, strict=True) if cleaned != texts[name]}


def redacted_progress(progress: DeliveryProgress, redaction: Redaction) -> DeliveryProgress:
    """Return the progress without secrets: a service or a proxy may repeat them in its answer."""
    reason = progress.reason and redaction(progress.reason)
    return progress if reason == progress.reason else replace(progress, reason=reason)


def redacted_piece(piece: Piece, redaction: Redaction) -> Piece:
    """Return the piece without secrets; the content of a file is redacted, too, where it is text."""
    if isinstance(piece, Text):
        return _redacted_text(piece, redaction)
    if isinstance(piece, Blocks):
        payload = _redacted_json(piece.payload, redaction)
        return piece if payload == piece.payload else Blocks(cast("Mapping[str, object]", payload))
    return _redacted_file(piece, redaction)


def _redacted_text(piece: Text, redaction: Redaction) -> Text:
    text = without_seams(redaction(piece.text), redaction)
    # The text may be cut before an entry that holds a secret.
    flat = [word for entry in piece.entries for word in entry]
    cleaned = redaction.redact_all(flat) if flat else flat
    if text == piece.text and cleaned is flat:
        return piece
    return Text(text, tuple(zip(cleaned[::2], cleaned[1::2], strict=True)))


def _redacted_json(node: Any, redaction: Redaction) -> object:
    if isinstance(node, str):
        return redaction(node)
    if isinstance(node, Mapping):
        return {redaction(str(key)): _redacted_json(child, redaction) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return _joined_texts([_redacted_json(child, redaction) for child in node], redaction)
    return node


def _joined_texts(nodes: list[object], redaction: Redaction) -> list[object]:
    """Redact secrets that span neighbouring texts, which Slack shows as one line where they are rich text."""
    places = [at for at, node in enumerate(nodes) if isinstance(node, dict) and isinstance(node.get("text"), str)]
    if len(places) < 2:
        return nodes
    texts = [cast("dict[str, str]", nodes[at])["text"] for at in places]
    for at, before, text in zip(places, texts, redaction.redact_joined(texts), strict=True):
        if text != before:
            nodes[at] = {**cast("dict[str, object]", nodes[at]), "text": text}
    return nodes


def _redacted_file(piece: Upload, redaction: Redaction) -> Upload:
    cleaned = replace(
        piece,
        name=redaction(piece.name),
        title=redaction(piece.title),
        comment=without_seams(redaction(piece.comment), redaction),
    )
    if isinstance(piece.content, bytes):
        cleaned = replace(cleaned, content=_redacted_content(piece.content, redaction))
    return piece if cleaned == piece else cleaned


def _redacted_content(content: bytes, redaction: Redaction) -> bytes:
    """Return the content of a file without secrets where it is text; pictures and archives are unchanged."""
    coding, errors = "utf-8", "surrogateescape"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        coding, errors = "utf-16", "surrogatepass"
    elif b"\0" in content[:_LOOKED_AT]:
        if _CONTROLS.search(content):
            return content
        errors = "strict"
    try:
        text = content.decode(coding, errors)
    except UnicodeDecodeError:
        return content
    cleaned = redaction(text)
    return content if cleaned == text else cleaned.encode(coding, errors)


#: A file with a zero byte among the first so many is binary, unless zeros separate texts: `environ`, `find -print0`.
_LOOKED_AT = 8192
_CONTROLS = lazy_pattern(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]|\0\0\0\0")
