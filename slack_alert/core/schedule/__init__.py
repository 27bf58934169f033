"""Triggers and working hours: when a job is due."""
