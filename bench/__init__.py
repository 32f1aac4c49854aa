"""Measurements: run `python -m bench --help`."""
