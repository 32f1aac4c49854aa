"""What can be wrong with an installation, one check each, and the command that mends it."""
