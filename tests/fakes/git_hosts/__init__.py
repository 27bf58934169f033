"""Git hosts on loopback, with real repositories behind them: a merge is a `git merge`."""
