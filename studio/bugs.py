"""What a person reads when the studio itself is at fault: a calm sentence with a number.

The same number stands in logs/web.log, with the traceback. Call it while the exception is being handled.
"""

import logging
from secrets import token_hex

SENTENCE = "Something went wrong in the studio itself (error {number}); logs/web.log in the home folder says what."

log = logging.getLogger("ratchet.web")


def report_bug(where: str) -> str:
    """Log the exception of the moment with its traceback and a new number; return the sentence that names it."""
    number = token_hex(4)
    log.exception("error %s in %s", number, where)
    return SENTENCE.format(number=number)
