"""The version of this program: what the update notice compares with, and what it calls itself by."""

VERSION = "2.10.0"
