"""The program as a whole: start, reload, requests of others, liveness, shutdown."""
