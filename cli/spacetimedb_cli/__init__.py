"""The `spacetime` command: its commands are thin; what they do is in the libraries beside them."""
