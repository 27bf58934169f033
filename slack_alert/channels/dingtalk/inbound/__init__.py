"""The doors of a DingTalk app's robot: what people write and press there, translated, and who they are."""
