"""Definitions of similarity, and the exact search that answers them."""

DEFAULT = "mfcc"
"""The measure used unless another is named."""
