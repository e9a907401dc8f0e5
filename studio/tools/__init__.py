"""The verbs as tools of the Model Context Protocol, for assistants that work with a project."""
