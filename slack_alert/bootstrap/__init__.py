"""The composition root: settings become a running program; the only package that knows every adapter."""
