"""What answers other programs over the network, on loopback unless told otherwise."""
