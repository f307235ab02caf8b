"""Plain Python: no database, no framework, no other part of the project."""
