"""Read what is secret in the configuration of packs: their manifests say which keys are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def read_pack_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the values of the secret keys of all packs, also of those that cannot be loaded."""
    from slack_alert.loader.packs.folders import find_packs

    packs = find_packs(settings.path, settings.packs, settings.timezone).every
    return tuple(secret for pack in packs for secret in pack.config.secrets)
