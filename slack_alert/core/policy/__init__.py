"""What limits how much is said: quotas, mutes, quiet windows, incidents, overflow."""
