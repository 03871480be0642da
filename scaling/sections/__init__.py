"""SHELF: one file = one function Analysis -> Section. A study lists those its report shows."""
