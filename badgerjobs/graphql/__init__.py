"""The GraphQL API: gathers what the apps bring, bounds what is asked, and answers programs and the panel's page."""
