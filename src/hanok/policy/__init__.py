"""Who may: one table from permission to role."""
