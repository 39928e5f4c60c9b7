"""Identity: projects, users, roles, tokens and the catalog; v2.0 as NHN Cloud has it, and v3."""
