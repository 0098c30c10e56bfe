"""``exchange bench``: the figures of docs/benchmarks.md, as seconds and as ratios inside one run.

Each measurement runs in a process of its own, so peak memory is that of one file and imports are not in the
seconds.
"""
