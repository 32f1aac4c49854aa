"""Publishing: what to publish where, the questions to ask before, and doing it."""
