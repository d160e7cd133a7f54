"""Comparing definitions of similarity: what they agree on, and how well each serves."""
