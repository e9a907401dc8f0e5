"""What can be wrong with data, found by machine: one file a family of checks, one registry of them all."""
