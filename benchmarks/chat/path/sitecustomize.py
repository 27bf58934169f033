"""Sends slack_sdk of a bot that is compared to the fake Slack; imported before everything else."""

import os

from slack_sdk.web.async_base_client import AsyncBaseClient
from slack_sdk.web.base_client import BaseClient

BaseClient.BASE_URL = AsyncBaseClient.BASE_URL = os.environ["BENCH_SLACK"]
for each in (BaseClient, AsyncBaseClient):
    each.__init__.__kwdefaults__ = None
    each.__init__.__defaults__ = tuple(
        os.environ["BENCH_SLACK"] if value == "https://slack.com/api/" else value
        for value in each.__init__.__defaults__ or ()
    )
