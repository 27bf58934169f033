"""Redaction: which texts are secrets, the encodings in which they appear, and their removal."""
