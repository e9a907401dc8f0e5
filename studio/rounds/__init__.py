"""Rounds: the ledger of the loop, its timeline and its next step."""
