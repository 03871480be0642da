"""Where runs run: local worker processes."""
