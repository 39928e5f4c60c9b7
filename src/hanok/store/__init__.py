"""Tables, statements and migrations: the only code with SQL, for SQLite and PostgreSQL."""
