"""The compute service: flavors, zones, key pairs, servers."""
