"""The codes of findings, a module per part of the house; ``validation.catalogue`` joins them."""
