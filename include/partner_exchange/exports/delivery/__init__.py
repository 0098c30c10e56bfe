"""The last mile: a file to its place at a target, by name, checked, with faults told apart (M67-M72, X10)."""
