"""Alerts: who is notified of a run that failed, and how what could not be delivered is kept."""
