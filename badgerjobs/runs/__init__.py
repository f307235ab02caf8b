"""The engine: turns schedules into runs, runs them, and keeps account of what happened."""
