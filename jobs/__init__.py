"""Scheduled HTTP calls."""
