"""Other people's databases and brokers: how they are reached, signed in to and believed, and what their errors say."""
