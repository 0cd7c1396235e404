"""Counting for the insights: each statement counts in SQL and hands plain numbers to `alerts.insights`."""
