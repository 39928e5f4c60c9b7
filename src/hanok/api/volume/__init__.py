"""The block storage service, v2 and v3 over the same volumes."""
