"""`spacetime.json`: which databases a project has, and where they live."""
