"""The verbs of the command line, a subject a file; each calls the domain functions that the pages call."""
