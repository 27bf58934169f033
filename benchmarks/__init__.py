"""Measure the program beside raw APScheduler and the slack-alert of 2015: `python -m benchmarks`."""
