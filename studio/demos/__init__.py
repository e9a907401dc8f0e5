"""Demos: a link by which strangers talk to the champion, and what they think of it, in quarantine."""
