"""DingTalk: the only package that knows its robots and its API."""
