"""Durable operations: any list of steps, carried to its end or back to its beginning.

`steps` says what an operation is, `runner` carries one forward or back, `dispatch` decides which
runs when and where, `clock` is the only source of time and randomness.
"""
