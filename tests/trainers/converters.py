"""Stand-ins for llama.cpp's converter, by its command line: the real script is no package, and knows no starter.

The faithful one writes the starter as a GGUF file; the harmful ones go wrong in the ways that conversions do.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STARTER = ROOT / "static" / "starter" / "model"

_SCRIPT = """
import os
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.studio.clients import gguf_model
folder, target = Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--outfile") + 1])
assert sys.argv[sys.argv.index("--outtype") + 1] in ("f32", "f16", "bf16")
assert os.environ["HF_HUB_OFFLINE"] == "1"
assert not any("auto_map" in path.read_text() for path in folder.glob("*.json")), "it would run the model's own code"
{harm}
gguf_model.write(folder, target)
"""
_HARMS = {
    "weights": """
plain = gguf_model._weights
def other(*args):
    found = plain(*args)
    return {name: weights * (2 if name == "blk.1.ffn_up.weight" else 1) for name, weights in found.items()}
gguf_model._weights = other
""",
    "missing": """
plain = gguf_model._weights
gguf_model._weights = lambda *args: {
    name: weights for name, weights in plain(*args).items() if name != "blk.0.attn_k.weight"
}
""",
    "fails": 'sys.exit("Model LlamaForX is not supported")',
    "package": "import a_package_that_is_not_here",
    "words": 'raise NotImplementedError("BPE pre-tokenizer was not recognized - update get_vocab_base_pre()")',
}


def faithful(folder: Path) -> str:
    """A folder with a converter that does what it should."""
    return _write(folder, "")


def harmful(folder: Path, harm: str) -> str:
    """A folder with a converter that writes other weights, leaves some out, or fails."""
    return _write(folder, _HARMS[harm])


def _write(folder: Path, harm: str) -> str:
    made = folder / "llama.cpp"
    made.mkdir()
    (made / "convert_hf_to_gguf.py").write_text(_SCRIPT.format(root=str(ROOT), harm=harm))
    return str(made)
