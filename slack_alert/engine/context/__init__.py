"""The context that plugin functions take as `ctx`: their messages, their stored values, the programs they start."""
