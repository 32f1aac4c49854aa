"""Watching queries: rows as they come and go."""
