"""How things look as text."""
