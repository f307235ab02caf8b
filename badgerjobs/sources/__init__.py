"""Where data comes from: REST and GraphQL endpoints, with their credentials, variables and transforms."""
