"""The rows of sources, streamed: neither an answer nor all of its rows are ever there at once."""
