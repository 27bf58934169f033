"""Compose panels under a heading and render them as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape

from slack_alert.charts.xml_text import xml_safe
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.report.layout import Report

WIDTH = 960
#: Slack shows pictures on screens with two dots per pixel.
_PIXEL_RATIO = 2
_MARGIN = 24
_HEAD = 84
#: The renderer takes the first font that is installed; it does not know `sans-serif`.
FONTS = (
    "DejaVu Sans", "Noto Sans", "Liberation Sans", "Open Sans", "Ubuntu", "Roboto", "Cantarell", "Segoe UI",
    "Helvetica Neue", "Helvetica", "Arial", "Verdana", "FreeSans",
)  # fmt: skip


class NoPicture(SlackAlertError):
    """No picture can be drawn on this machine; the message holds the reason and advice."""


def render_png(report: Report, *, fonts: Sequence[str] = FONTS) -> bytes:
    """Return a report as a PNG; raise NoPicture if a library or a font is missing."""
    try:
        import resvg_py

        from slack_alert.charts.panels import panels
    except ImportError as error:
        raise NoPicture(
            f"there is no {error.name or 'library'}, which draws it: install slack-alert with the extra `charts`, "
            "`pip install 'slack-alert[charts]'`"
        ) from error
    family = ", ".join(f"'{font}'" for font in fonts)
    if not _has_font(family):
        raise NoPicture("this machine has no font to write with: install one, such as the package fonts-dejavu-core")
    drawn = panels(report, width=WIDTH, family=family)
    return resvg_py.svg_to_bytes(svg_string=_page(report, drawn, family), zoom=_PIXEL_RATIO)


def _page(report: Report, drawn: Sequence[tuple[str, int]], family: str) -> str:
    """Return the page as SVG: a heading, and the panels below each other."""
    height = _HEAD + sum(tall for _, tall in drawn) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<g font-family="{family}">',
        f'<text x="{_MARGIN}" y="38" font-size="20" font-weight="bold" fill="#1d1c1d">{_svg_text(report.title)}</text>',
        f'<text x="{_MARGIN}" y="64" font-size="14" fill="#616061">{_svg_text(report.line)}</text>',
        "</g>",
    ]
    top = _HEAD
    for svg, tall in drawn:
        parts.append(f'<svg x="0" y="{top}" width="{WIDTH}" height="{tall}">{svg}</svg>')
        top += tall
    return "\n".join([*parts, "</svg>"])


def _svg_text(text: str) -> str:
    return escape(xml_safe(text))


@cache
def _has_font(family: str) -> bool:
    """Return whether a rendered letter leaves any pixels: without a font the renderer omits text."""
    import resvg_py

    size = 'xmlns="http://www.w3.org/2000/svg" width="20" height="20"'
    letter = f'<text y="16" font-size="16" font-family="{family}">M</text>'
    blank, drawn = (resvg_py.svg_to_bytes(svg_string=f"<svg {size}>{inner}</svg>") for inner in ("", letter))
    return blank != drawn
