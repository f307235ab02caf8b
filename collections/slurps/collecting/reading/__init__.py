"""Reading a collection's rows: what an address asks for, as one statement, in the text that PostgreSQL gives."""
