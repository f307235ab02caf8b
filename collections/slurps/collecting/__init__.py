"""Collections and their versions: what is done with them, what differs between two, and how they are read."""
