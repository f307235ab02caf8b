"""Cache keys and the tasks that keep them fresh."""
