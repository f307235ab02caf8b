"""Tenants: workspaces and their members, applications and their tokens."""
