"""Reports as pictures; the only package that imports pygal and resvg, which the extra `charts` installs."""

from __future__ import annotations

from slack_alert.charts.picture import NoPicture, render_png

__all__ = ["NoPicture", "render_png"]
