"""A project as one file: backups to come back to, packs to give to others."""
