"""Pages: self-contained HTML, readable without a network, with figures and sounds. Knows nothing of queries."""
