"""Archives of releases: packing them the same way every time, and unpacking them without trusting them."""
