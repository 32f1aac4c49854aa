"""Control state: which databases there are, whose they are, what they are called; and published programs."""
