"""One module per command; each has an `app` and does little more than name its arguments."""
