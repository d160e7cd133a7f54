"""The database: the only room that knows SQL. One repository module for each family of tables."""
