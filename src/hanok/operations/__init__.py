"""One file per long operation: a list of steps, each with its undo."""
