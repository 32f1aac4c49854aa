"""Running SQL and showing what it gives."""
