"""Makes rows and reality agree: looks at what is, level by level, and notes what changed."""
