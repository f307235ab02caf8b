"""Where data comes from: endpoints, files, databases and brokers, with their credentials, variables and transforms."""
