"""Policies that limit how much is posted: quotas, mutes, quiet windows, incidents, overflow."""
