"""Hooks, and how plugins are found."""
