"""Calling reducers and procedures from words on a command line."""
