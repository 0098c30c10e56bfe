"""``python -m partner_exchange.cli``: the same as the ``exchange`` command."""

from partner_exchange.cli import main

main()
