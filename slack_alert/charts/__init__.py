"""Reports as pictures; the only package that imports pygal and resvg, which the extra `charts` installs."""

from __future__ import annotations

from slack_alert.charts.picture import NoPicture, picture

__all__ = ["NoPicture", "picture"]
