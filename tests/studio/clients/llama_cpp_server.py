"""llama.cpp's own HTTP server in a process: `python llama_cpp_server.py MODEL.gguf ALIAS PORT`.

It comes in the wheel of `xllamacpp`, which is no dependency.
"""

import sys

import xllamacpp


def main(model: str, alias: str, port: str) -> None:
    """Serve until standard input ends."""
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {alias}
    params.port = int(port)
    params.n_parallel = 4
    params.n_ctx = 4096
    params.cpuparams.n_threads = 2
    params.n_gpu_layers = 0
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main(*sys.argv[1:])
