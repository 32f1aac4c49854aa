"""What is installed: the places, what a look at them finds, and which versions go with which data."""
