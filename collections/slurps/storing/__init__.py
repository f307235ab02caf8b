"""How rows are kept: loaded where nobody sees them, shown all at once, and let go of when no version has them."""
