"""What partners say of delivered files: answer files, found, read and matched to deliveries (X11).

``collect`` looks where the answers of one export lie, ``collect_all`` everywhere where answers of a tenant
lie, ``remind`` tells of answers that did not come. Called by the outbound DAGs, housekeeping and the command
line.
"""

from partner_exchange.exports.answers.collecting import AnswerCounts, collect, collect_all
from partner_exchange.exports.answers.reminding import overdue, remind

__all__ = ["AnswerCounts", "collect", "collect_all", "overdue", "remind"]
