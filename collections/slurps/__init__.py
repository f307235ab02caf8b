"""Collections of data that jobs fill and readers query."""
