"""Import what is heavy, once, before processes are forked; called by the Airflow plugin (design 6)."""

from __future__ import annotations

import gc


def preload() -> None:
    """Import pandas, Arrow and Great Expectations and run a tiny suite, so files pay for their rows only."""
    from partner_exchange.validation.runner import quiet

    quiet()
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    import partner_exchange.readers.csv  # noqa: F401 - imported for the modules behind it
    from partner_exchange.validation.expectations import ExpectCellsToBeFilled
    from partner_exchange.validation.runner import Stated, run

    if "jemalloc" in pa.supported_memory_backends():
        # Gives memory back sooner than Arrow's default: a tenth of the peak of a file with a million rows.
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    frame = pd.DataFrame({"cell": pd.Series(["x"], dtype="str")})
    filled = ExpectCellsToBeFilled(column="cell", meta=Stated("username-missing", "cell").meta)
    run(frame, [filled], rows=np.array([2], dtype=np.int64))
    # What is loaded now lives as long as the process: the collector need not look at a million objects again
    # and again, and forked processes share their memory.
    gc.collect()
    gc.freeze()
