"""Feedback: comparisons, votes, and the numbers that are drawn from them."""
