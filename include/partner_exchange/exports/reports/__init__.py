"""The catalogue of reports: named, versioned queries with a column contract, over the three stores (M63)."""
