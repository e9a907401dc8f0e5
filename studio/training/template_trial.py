"""A chat template tried out in a process of its own, with little memory and little time: it is a stranger's program.

    python -I template_trial.py    # JSON on stdin: template, marks; on stdout: {"kept": bool} or {"error": sentence}

It is run as a file and imports nothing of ours, so that it starts in a blink and holds nothing worth having.
"""

import json
import re
import resource
import sys
from contextlib import suppress
from typing import Any

MEMORY_BYTES = 1 << 30
SECONDS = 5  # of the processor: what else the machine is busy with does not count
_QUESTION = "QUESTION"


def _limit() -> None:
    with suppress(ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tried(template: str, marks: dict[str, str]) -> dict[str, Any]:
    """Whether the template writes what the user says, or why it cannot be used."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(sentence: str) -> None:
        raise TemplateError(sentence)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    unmarked = re.sub(r"{%-?\s*(end)?generation\s*-?%}", "", template)  # a tag that transformers adds
    try:
        text = environment.from_string(unmarked).render(
            messages=[{"role": "user", "content": _QUESTION}], add_generation_prompt=True, **marks
        )
        return {"kept": _QUESTION in text}
    except MemoryError:
        return {"error": f"it takes more than {MEMORY_BYTES >> 30} GB of memory"}
    except (TemplateError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return {"error": str(error)[:300]}


if __name__ == "__main__":
    _limit()
    print(json.dumps(tried(**json.load(sys.stdin))))
