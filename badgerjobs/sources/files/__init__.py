"""Files that people upload for sources: taken in pieces, kept in the database, and read as they are pulled."""
