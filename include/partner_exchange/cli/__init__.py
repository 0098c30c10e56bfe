"""The ``exchange`` command: each module holds the commands of one kind of user; the work is done in the
rooms.
"""

from __future__ import annotations

import sys

from partner_exchange.cli.app import app
from partner_exchange.cli.failures import FAILED, sentence

__all__ = ["main"]


def main() -> None:
    """Run the command line; a failure of ours ends in one sentence and exit code 3, never in a traceback."""
    from pydantic import ValidationError

    from partner_exchange.errors import ExchangeError

    try:
        app()
    except (ExchangeError, ValidationError, OSError) as error:
        print(f"exchange: {sentence(error)}", file=sys.stderr)
        sys.exit(FAILED)
