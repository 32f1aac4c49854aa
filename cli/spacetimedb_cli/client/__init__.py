"""The HTTP routes of a SpacetimeDB server, version 1, as functions."""
