"""Cache keys: what is kept under which name, and how they are found."""
