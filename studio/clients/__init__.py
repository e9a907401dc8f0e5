"""Clients: the local engine, OpenAI-compatible endpoints, and the processes that the studio starts. httpx only."""
