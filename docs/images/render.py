"""Draw the picture of the terminal: run `slack-alert demo` in one, and turn what it shows into an SVG.

`python docs/images/render.py` writes `terminal.svg` beside this file. Every line of it is real output.
"""
# ruff: noqa: INP001

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 96, 80
#: The command, and what a person types to see the same, at a person's pace.
COMMAND, TYPED = ("demo", "--fast"), "slack-alert demo"

BACKGROUND, FOREGROUND, DIM, PROMPT = "#12151c", "#d5dae4", "#7b8496", "#8ab4f8"
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#f2cc60"}
WIDTH, HEIGHT, MARGIN, BAR = 8.43, 20, 24, 40
_ESCAPE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])")


def main() -> None:
    """Run the command, draw what is shown."""
    lines = [f"\x1b[prompt]{TYPED}", "", *run()]
    Path(__file__).with_name("terminal.svg").write_text(drawn(lines), encoding="utf-8")


def run() -> list[str]:
    """Run the command in a terminal of its own; return the lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    words = [sys.executable, "-m", "slack_alert", *COMMAND]
    with tempfile.TemporaryDirectory() as home:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": home,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        running = subprocess.Popen(words, cwd=home, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)  # noqa: S603
        os.close(theirs)
        printed = b"".join(_read(ours))
        os.close(ours)
        running.wait()
    return [line.rstrip("\r") for line in printed.decode().splitlines()]


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            some = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody is at the other end
            return
        if not some:
            return
        yield some


def drawn(lines: list[str], *, columns: int = COLUMNS) -> str:
    """Draw lines as an SVG that needs no font but the reader's own."""
    width, height = columns * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + BAR + 2 * MARGIN - 6
    fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="slack-alert in a terminal">',
        f"<style>text{{font:14px {fonts};white-space:pre;fill:{FOREGROUND}}}</style>",
        f'<rect width="{width:.0f}" height="{height}" rx="10" fill="{BACKGROUND}"/>',
        *(
            f'<circle cx="{MARGIN + 20 * at}" cy="24" r="6" fill="{colour}"/>'
            for at, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
    ]
    for number, line in enumerate(lines):
        parts += _line(line, BAR + MARGIN + number * HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _line(line: str, y: int) -> Iterator[str]:
    column = 0
    for text, style in _spans(line):
        if word := text.strip():
            # Given the length, columns stay in line whatever font the reader has.
            x = MARGIN + (column + len(text) - len(text.lstrip())) * WIDTH
            size = f'x="{x:.2f}" y="{y}" textLength="{len(word) * WIDTH:.2f}" lengthAdjust="spacingAndGlyphs"'
            yield f"<text {size}{style}>{escape(word, quote=False)}</text>"
        column += len(text)


def _spans(line: str) -> Iterator[tuple[str, str]]:
    """Take a line apart into texts with their styles; a word and what is aligned far from it are two."""
    if line.startswith("\x1b[prompt]"):
        yield "$ ", f' style="fill:{PROMPT}"'
        yield line.removeprefix("\x1b[prompt]"), ' style="font-weight:600"'
        return
    codes: set[str] = set()
    start = 0
    for found in [*_ESCAPE.finditer(line), None]:
        text = line[start : found.start() if found else len(line)]
        yield from ((part, _style(codes)) for part in re.split(r"(?<=\S)(?= {2,}\S)|(?<= {2})(?=\S)", text) if part)
        if found is None:
            return
        start = found.end()
        codes = set() if found[1] in {"", "0"} else codes | set(found[1].split(";"))


def _style(codes: set[str]) -> str:
    colour = next((COLOURS[code] for code in sorted(codes) if code in COLOURS), DIM if "2" in codes else "")
    rules = [f"fill:{colour}"] if colour else []
    rules += ["font-weight:600"] if "1" in codes else []
    return f' style="{";".join(rules)}"' if rules else ""


if __name__ == "__main__":
    assert shutil.which("sh"), "a terminal is a thing of POSIX"
    main()
