"""What a run of an async job does, in a process of its own: pull, make rows of what came, and store them."""
