"""Breaks this installation while it works, and counts. docs/reliability.md says how to read what it finds."""
