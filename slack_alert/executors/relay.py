"""Log here what was logged in another process, which knows no secrets."""

from __future__ import annotations

import logging

from slack_alert.core.redaction import Redaction
from slack_alert.executors.wire import LOGGED, Document


def relay(told: Document, redaction: Redaction) -> None:
    """Log a record again; one that is too long is cut without the secrets at the cut."""
    logger = logging.getLogger(told["name"])
    if logger.isEnabledFor(told["levelno"]):
        words = {name: told[name] for name in ("name", "levelno", "levelname")}
        words["msg"] = redaction.head(told["msg"], LOGGED)[0]
        logger.handle(logging.makeLogRecord({**told["extra"], **words}))
