"""What each command of the version manager does; imported one by one, when it runs."""
