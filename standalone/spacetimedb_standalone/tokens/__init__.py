"""Who a request is from: keys, tokens that this server issues, tokens that it accepts."""
