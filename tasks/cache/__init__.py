"""Delivery: cached values read by programs, from the fast copy in Valkey or the row in PostgreSQL."""
