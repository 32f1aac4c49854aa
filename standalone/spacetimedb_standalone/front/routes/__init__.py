"""The routes, grouped by what they are about. Each group is a class with `resources()`."""
