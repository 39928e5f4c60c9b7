"""Actions on a server, one file each: `POST servers/{id}/action` with one key in the body."""
