"""Doors of Slack: what people write and press in a workspace, translated, and who they are."""
