"""Who the partners are: the YAML model, presets from the sources, the registry and the public-key policy."""
