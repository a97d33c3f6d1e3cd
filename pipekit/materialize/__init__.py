"""How rows reach a table."""
