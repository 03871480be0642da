"""Numbers, figures and documents: how results are shown. Knows no science; cheap to import."""
