"""The engine: one process that holds a base once, any number of adapters on it, and answers for all of them.

It speaks the OpenAI chat protocol and vLLM's adapter calls on loopback (see `routes`). A lane is the thread of
one loaded base; it runs our own decode loop, because `generate()` can neither let rows join and leave a batch
nor sample each row with its own settings, and PEFT's mixed batches leave hooks behind when anything raises.
"""
