"""The dialects of the compute API, each a value bound to its routes."""
