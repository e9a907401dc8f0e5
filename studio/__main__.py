"""`python -m studio VERB` is `ratchet VERB`."""

import sys

from studio.cli import main

if __name__ == "__main__":
    sys.exit(main())
