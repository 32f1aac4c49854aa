"""The process of one database: its event loop, its clients' sockets, its private HTTP routes.

Nothing here knows how rows lie or what a query means; it brings bytes to `database` and takes bytes away,
one engine call and one write per connection for all that a turn of the loop brought.
"""
