"""The verb `mcp`: the other verbs as tools of an assistant on this machine."""

import argparse
import sys

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, no_flags


def _mcp(studio: Studio, args: argparse.Namespace) -> Outcome:
    from studio.tools.stdio import serve
    from studio.tools.toolbox import Toolbox

    count = serve(Toolbox(studio), sys.stdin, sys.stdout)
    return Outcome({"messages": count}, "")


VERBS = (Verb("mcp", "offer the verbs as tools by the Model Context Protocol, over standard input", no_flags, _mcp),)
