"""Setting up and taking away: where everything goes, shell completions, PATH."""
