"""The store: one SQLite file, run folders and the row types that both sides share."""
