"""Mutes, and the digests of what they withheld."""
