"""Inbound webhooks: addresses of ours that others call."""
