"""Maps: all sounds of a corpus in two dimensions, as a measure has them."""
