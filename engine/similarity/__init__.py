"""Definitions of similarity, and the exact search that answers them."""
