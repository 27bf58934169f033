"""Draw the pipeline: its stages in their order, each with the class or function and the module that it is in.

`python docs/images/pipeline.py` writes `pipeline.svg` beside this file. Names and modules come from what is imported
here, so a stage that was renamed or moved is drawn as it is now, or not at all.
"""
# ruff: noqa: INP001

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from slack_alert.channels.slack.channel import SlackChannel
from slack_alert.core.catalog import match
from slack_alert.core.events import Emitted
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.settle import settle
from slack_alert.engine.delivery.sender import Sender
from slack_alert.engine.engine import Engine
from slack_alert.engine.recording.writer import Writer
from slack_alert.executors.pool import PoolExecutor
from slack_alert.schedulers.base import SchedulerSource
from slack_alert.stores.sqlite.store import SqliteStore

Code = type | Callable[..., object]


@dataclass(frozen=True)
class Stage:
    """One box."""

    name: str
    says: str
    code: Code

    @property
    def module(self) -> str:
        """The file, below `slack_alert/`."""
        return f"{self.code.__module__.removeprefix('slack_alert.').replace('.', '/')}.py"

    @property
    def layer(self) -> str:
        """Which of the three colours it has."""
        top = self.module.partition("/")[0]
        return top if top in ("core", "engine") else "adapter"


#: In rows, as they are gone through: to the right, back to the left, and to the right again.
ROWS = (
    (
        Stage("Source", "a moment comes", SchedulerSource),
        Stage("Event", "what happened, and when", Emitted),
        Stage("match", "who wants it?", match),
        Stage("gate", "may it run?", gate),
    ),
    (
        Stage("settle", "what follows from it", settle),
        Stage("Result", "what it returned", Result),
        Stage("Executor", "calls the function", PoolExecutor),
        Stage("Run", "one call of one function", Run),
    ),
    (
        Stage("commit", "all of it, or nothing", Writer),
        Stage("outbox", "what is still to be said", SqliteStore),
        Stage("Sender", "in order, paced, again", Sender),
        Stage("Channel", "what people read", SlackChannel),
    ),
)
FRAME = Stage("Engine", "", Engine)
LEGEND = {"core": "core decides", "engine": "the engine keeps and moves", "adapter": "adapters touch the world"}

BOX, TALL, GAP_X, GAP_Y, MARGIN, TOP, BOTTOM = 220, 100, 46, 64, 30, 54, 92
WIDTH = 2 * MARGIN + 4 * BOX + 3 * GAP_X
HEIGHT = TOP + 3 * TALL + 2 * GAP_Y + BOTTOM
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>'
)
LIGHT, DARK = 0, 1
#: In both schemes. It lies on a sheet of its own, so that it can be read on any page.
COLOURS = {
    "sheet": ("#ffffff", "#12151c"),
    "text": ("#1f2328", "#e6e9ef"),
    "dim": ("#57606a", "#a3adbd"),
    "line": ("#6e7781", "#8b96a8"),
    "core": ("#dbeafe", "#1e3a63"),
    "engine": ("#dcf5e3", "#1c4630"),
    "adapter": ("#fdeccb", "#5a3f12"),
}


def main() -> None:
    """Draw it anew."""
    Path(__file__).with_name("pipeline.svg").write_text(drawn(), encoding="utf-8")


def drawn(*, scheme: int = LIGHT) -> str:
    """Return the picture; a viewer that knows no schemes shows it in the one asked for."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(_spoken())}">',
        f"<style>{_rules(scheme)}</style>",
        _TIP,
        f'<rect class="sheet" width="{WIDTH}" height="{HEIGHT}" rx="10"/>',
        *_frame(),
        *_arrows(),
        *(part for y, row in enumerate(ROWS) for x, stage in enumerate(row) for part in _box(stage, x, y)),
        *_legend(),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _spoken() -> str:
    first, second, third = ROWS
    return " to ".join(stage.name for stage in (*first, *reversed(second), *third))


def _rules(scheme: int) -> str:
    sans = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
    mono = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return (
        f"text{{font:13px {sans}}}.name{{font-size:17px;font-weight:600}}.code,.file{{font:12px {mono}}}"
        f".flow,.back,.frame{{fill:none;stroke-width:1.6}}.back{{stroke-dasharray:5 4}}.frame{{stroke-dasharray:2 4}}"
        f"{_colours(scheme)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"
    )


def _colours(scheme: int) -> str:
    of = {name: pair[scheme] for name, pair in COLOURS.items()}
    fills = "".join(f".{name}{{fill:{of[name]}}}" for name in ("sheet", "core", "engine", "adapter"))
    return (
        f"{fills}.name,.code{{fill:{of['text']}}}.says,.file{{fill:{of['dim']}}}"
        f".flow,.back,.frame{{stroke:{of['line']}}}.tip{{fill:{of['line']}}}"
    )


def _left(x: int) -> int:
    return MARGIN + x * (BOX + GAP_X)


def _top(y: int) -> int:
    return TOP + y * (TALL + GAP_Y)


def _box(stage: Stage, x: int, y: int) -> Iterator[str]:
    left, top = _left(x), _top(y)
    yield f'<rect class="{stage.layer}" x="{left}" y="{top}" width="{BOX}" height="{TALL}" rx="8"/>'
    lines = (("name", stage.name, 26), ("says", stage.says, 46), ("code", stage.code.__name__, 70))
    for kind, text, down in (*lines, ("file", stage.module, 88)):
        yield f'<text class="{kind}" x="{left + 14}" y="{top + down}">{escape(text, quote=False)}</text>'


def _frame() -> Iterator[str]:
    """Draw who calls the two of the first row, and much else."""
    left, width = _left(2) - 14, 2 * BOX + GAP_X + 28
    yield f'<rect class="frame" x="{left}" y="{TOP - 36}" width="{width}" height="{TALL + 50}" rx="12"/>'
    yield f'<text class="code" x="{left + 14}" y="{TOP - 14}">{FRAME.name}</text>'
    yield f'<text class="file" x="{left + 70}" y="{TOP - 14}">{FRAME.module}</text>'


def _arrows() -> Iterator[str]:
    for y in range(3):
        middle = _top(y) + TALL // 2
        for x in range(3):
            ends = (_left(x) + BOX + 5, _left(x + 1) - 5)
            yield _arrow("flow", f"M{ends[y == 1]} {middle}H{ends[y != 1]}")
    for x, y in ((3, 0), (0, 1)):
        yield _arrow("flow", f"M{_left(x) + BOX // 2} {_top(y) + TALL + 5}V{_top(y + 1) - 5}")
    up = _left(1) + BOX // 2
    yield _arrow("back", f"M{up} {_top(1) - 5}V{TOP + TALL + 5}")
    yield f'<text class="says" x="{up + 10}" y="{_top(1) - GAP_Y // 2 + 4}">what a sensor emits</text>'
    start, end, low = _left(3) + BOX // 2, up, _top(2) + TALL
    yield _arrow("back", f"M{start} {low + 5}v18H{end}v-18")
    yield f'<text class="says" x="{_left(2) + 30}" y="{low + 40}">the receipt, and what was not accepted</text>'


def _arrow(kind: str, path: str) -> str:
    return f'<path class="{kind}" d="{path}" marker-end="url(#tip)"/>'


def _legend() -> Iterator[str]:
    x, y = MARGIN, HEIGHT - 32
    for layer, meaning in LEGEND.items():
        yield f'<rect class="{layer}" x="{x}" y="{y}" width="16" height="16" rx="4"/>'
        yield f'<text class="says" x="{x + 24}" y="{y + 13}">{meaning}</text>'
        x += 60 + 7 * len(meaning)


if __name__ == "__main__":
    main()
