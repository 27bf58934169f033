"""Commands that predict: they check plugins and simulate runs."""
