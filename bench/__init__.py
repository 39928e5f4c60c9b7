"""Measures Hanok beside its limits: peers that do the least the same answer needs."""
