from tests.trainers.conftest import _calm_processes, tiny_base

__all__ = ["_calm_processes", "tiny_base"]
