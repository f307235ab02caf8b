"""Processes below a worker that run code: started when they are needed, used again, ended (docs/adr/0017)."""
