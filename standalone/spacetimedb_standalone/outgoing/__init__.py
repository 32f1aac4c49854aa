"""HTTP requests that modules send: what they may reach, how long they may take, what they are told of failures."""
