"""The state of a database: system tables, schema, first publish, replay, migration."""
