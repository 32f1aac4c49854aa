"""Who the user is to servers: tokens, logging in and out."""
