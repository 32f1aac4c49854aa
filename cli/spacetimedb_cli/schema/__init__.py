"""What a database's module offers, as its server describes it."""
