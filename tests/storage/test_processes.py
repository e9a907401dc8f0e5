"""Whether somebody works here: a job that waits for idleness begins when nobody has done anything for some minutes."""

import os
import time

from storage.home import Home, write_json
from storage.processes import QUIET_SECONDS, identify, nobody_works, note_activity


def serve(home: Home) -> None:
    """Let this process be the studio of the home."""
    home.make()
    me = identify(os.getpid())
    assert me is not None
    write_json(home.serve_file, me._asdict())


def test_a_home_that_nobody_serves_is_quiet(home: Home) -> None:
    home.make()
    note_activity(home)

    assert nobody_works(home)


def test_a_served_home_is_quiet_some_minutes_after_the_last_doing(home: Home) -> None:
    serve(home)
    assert nobody_works(home)

    note_activity(home)
    assert not nobody_works(home)

    long_ago = time.time() - QUIET_SECONDS - 1
    os.utime(home.activity_file, (long_ago, long_ago))
    assert nobody_works(home)
