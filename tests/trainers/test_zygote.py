"""The zygote: runs fork from it and are what fresh processes are; it never forks where that could hang."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from storage import jobs
from storage.birth import LONGEST, knock
from storage.home import Home, read_json, write_json
from storage.processes import identify
from storage.store import Store
from studio.clients.forking import fork
from tests.trainers import building
from tests.trainers.executor_contract import MODULE, ExecutorContract, at_work, wait_for
from trainers.executor import Executor, LocalExecutor, Order
from trainers.forking import Nursery
from trainers.process import environment

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(sys.platform != "linux", reason="runs fork on Linux alone"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]
OPENMP = "tests.trainers.openmp_run"


def ready(folder: Path) -> Nursery:
    """A nursery whose zygote has said that it is ready."""
    home = Home(folder)
    nursery = Nursery(folder / "zygote.log", home.zygote_file, home.zygote_door)
    nursery.prepare()

    def said() -> bool:
        nursery.hear(0.1)
        assert nursery.ready or nursery.obstacle == "the zygote is not ready yet", nursery.obstacle
        return nursery.ready

    wait_for(said, "a zygote")
    return nursery


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = ready(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Callable[..., Order]]:
    """Makes orders of small runs; what is left of them is killed at the end."""
    made: list[Order] = []

    def make(
        module: str = MODULE, name: str = "patient", threads: int = 1, devices: tuple[str, ...] = ("cpu",)
    ) -> Order:
        folder = tmp_path / f"{name}-{len(made)}"
        building.make_run(folder, "sft", tmp_path, [{"id": "1"}], name=name, options={})
        made.append(Order(folder, module, "first", threads, devices))
        return made[-1]

    yield make
    for one in made:
        LocalExecutor().kill(one)


def forks(order: Order) -> bool:
    """Whether a run was forked: nothing was said of a fresh process."""
    return not any("fresh process" in event["sentence"] for event in building.events(order.folder, "log"))


class TestForkingExecutor(ExecutorContract):
    """A run that was forked keeps the contract of executors."""

    @pytest.fixture(autouse=True)
    def _nursery(self, nursery: Nursery) -> None:
        self.nursery = nursery

    def fresh(self) -> Executor:
        return LocalExecutor(nursery=self.nursery)


def test_children_compute_with_threads_and_chances_of_their_own_and_the_zygote_has_one_thread(
    nursery: Nursery, order: Callable[..., Order]
) -> None:
    executor, note, chances = LocalExecutor(nursery=nursery), read_json(nursery.note), []
    assert note is not None

    for _ in range(2):
        one = order(OPENMP, threads=2)
        executor.start(one)
        wait_for(lambda one=one: not executor.running(one), "the end of the product")  # type: ignore[misc]

        found = read_json(one.folder / "found.json")
        assert found is not None and forks(one), building.log_of(one.folder)
        assert (found["product"], found["threads"], executor.exit_code(one)) == (1500.0**3, 2, 7)
        assert found["tasks"] >= 2  # the product made threads: in the child, not in the zygote
        assert len(list(Path(f"/proc/{note['pid']}/task").iterdir())) == 1
        chances.append(found["chance"])

    assert all(one != other for one, other in zip(*chances, strict=True))


def test_a_forked_process_is_like_a_fresh_one(
    nursery: Nursery, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_PROBE", "new since the zygote began")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    found = {}
    for name, executor in (("forked", LocalExecutor(nursery=nursery)), ("fresh", LocalExecutor())):
        one = order(OPENMP, name, threads=2)
        executor.start(one)
        wait_for(lambda one=one, executor=executor: not executor.running(one), "the end")  # type: ignore[misc]
        found[name] = read_json(one.folder / "found.json") or {}
        assert building.log_of(one.folder).splitlines()[-1] == "computed"
        assert found[name].pop("argv") == [str(one.folder), "--resume", "--attempt", "first"]

    assert all(one != other for one, other in zip(*(one.pop("chance") for one in found.values()), strict=True))
    # By what a run imports a little later; this process may have done so too and hand it down.
    added, _ = (one["environment"].pop("TORCHINDUCTOR_CACHE_DIR", None) for one in found.values())
    assert (found["forked"], bool(added)) == (found["fresh"], True)
    assert found["forked"]["environment"]["RATCHET_PROBE"] == "new since the zygote began"
    assert (found["forked"]["leads_session"], found["forked"]["nice"], found["forked"]["files"]) == (True, 19, [])


def test_a_run_on_several_devices_or_on_a_base_of_the_hub_starts_fresh_and_says_so(
    nursery: Nursery, order: Callable[..., Order], tmp_path: Path
) -> None:
    from storage.specs.run import RunSpec

    remote = order()
    RunSpec("remote", "sft", "patient", "owner/model", options={}).write(remote.folder)
    executor = LocalExecutor(nursery=nursery)
    executor.start(remote)
    wait_for(lambda: at_work(remote), "the first step")

    said = [event["sentence"] for event in building.events(remote.folder, "log")]
    assert said[0] == (
        "It starts as a fresh process, some seconds slower: "
        "its base is fetched from the Hub, and the zygote is offline."
    )
    assert executor._fork(order(devices=("cuda:0", "cuda:1"))) is None


def test_where_there_is_no_zygote_runs_start_fresh(order: Callable[..., Order], tmp_path: Path) -> None:
    nursery = Nursery(tmp_path / "zygote.log", tmp_path / "zygote.json")
    silent, told = order(), order()
    LocalExecutor(nursery=nursery).start(silent)  # never wanted: not a word
    wait_for(lambda: at_work(silent), "the first step")
    assert forks(silent)

    nursery.prepare()
    executor = LocalExecutor(nursery=nursery)
    executor.start(told)
    nursery.close()
    wait_for(lambda: at_work(told), "the first step")
    assert "the zygote is not ready yet" in building.events(told.folder, "log")[0]["sentence"]
    assert executor.running(told)


def test_a_killed_zygote_leaves_its_runs_alive_and_the_next_one_forks_again(
    nursery: Nursery, order: Callable[..., Order]
) -> None:
    executor, lives, fresh, forked = LocalExecutor(nursery=nursery), order(), order(), order()
    executor.start(lives)
    wait_for(lambda: at_work(lives), "the first step")

    os.kill((read_json(nursery.note) or {})["pid"], signal.SIGKILL)
    wait_for(lambda: (nursery.hear(0.05), not nursery.ready)[1], "the news of its end")

    assert (executor.running(lives), executor.exit_code(lives), nursery.note.exists()) == (True, None, False)
    executor.start(fresh)
    wait_for(lambda: at_work(fresh), "the first step of a fresh run")
    assert not forks(fresh)
    (lives.folder / "finish").touch()
    wait_for(lambda: not executor.running(lives), "the end")
    assert executor.exit_code(lives) is None

    nursery.prepare()
    wait_for(lambda: (nursery.hear(0.1), nursery.ready)[1], "another zygote")
    executor.start(forked)
    wait_for(lambda: at_work(forked), "the first step of a forked run")
    assert forks(forked)


@pytest.mark.slow
def test_when_the_worker_dies_its_zygote_ends_and_its_run_goes_on_and_is_taken_up(
    store: Store, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_ZYGOTE", "on")
    me = identify(os.getpid())
    assert me is not None
    write_json(store.home.serve_file, me._asdict())  # who is served may press a button
    base = building.add_base(store, tiny_base)
    worker = subprocess.Popen(building.worker(store), stdout=subprocess.DEVNULL)
    wait_for(lambda: (read_json(store.home.zygote_file) or {}).get("ready"), "the zygote")
    zygote = psutil.Process((read_json(store.home.zygote_file) or {})["pid"])
    queued = building.enqueue(store, "sft", base, "round-1", tiny_base, options={"max_steps": 30})
    folder = store.home.run(queued.id)
    wait_for(lambda: building.losses(folder), "the first step")
    parent = psutil.Process((read_json(folder / "process.json") or {})["pid"]).ppid()

    worker.kill()
    worker.wait()
    store.home.serve_file.unlink()

    wait_for(lambda: not zygote.is_running() or zygote.status() == psutil.STATUS_ZOMBIE, "the zygote's end")
    building.run_worker(store)
    job = jobs.get_job(store, queued.id)
    assert (parent, job.status, job.restarts, len(building.losses(folder))) == (zygote.pid, "done", 0, 30)


def test_others_knock_at_the_door_and_get_a_process_too(nursery: Nursery, order: Callable[..., Order]) -> None:
    one, home = order(OPENMP), Home(nursery.note.parent)
    words = [OPENMP, str(one.folder), "--resume"]

    with knock(home.zygote_door, 1.0):  # who says nothing keeps nobody out
        assert fork(home, words, one.folder / "train.log", threads=2, nice=10)

    wait_for(lambda: (one.folder / "found.json").exists(), "the product")
    found = read_json(one.folder / "found.json") or {}
    assert (found["threads"], found["nice"], found["argv"]) == (2, max(10, os.nice(0)), words[1:])
    assert (home.zygote_door.stat().st_mode & 0o777, found["files"]) == (0o600, [])
    with knock(home.zygote_door, 5.0) as line:
        line.send(b"no order")
        assert line.recv(LONGEST) == b""
    assert nursery.ready and fork(home, words, one.folder / "train.log", threads=1, nice=10)


def test_where_no_zygote_is_ready_nobody_is_asked(home: Home) -> None:
    home.make()
    assert not fork(home, ["x"], home.logs / "x.log", 1, 0)

    me = identify(os.getpid())
    assert me is not None
    write_json(home.zygote_file, {**me._asdict(), "ready": True})  # whose door is closed
    assert not fork(home, ["x"], home.logs / "x.log", 1, 0)


def test_a_process_that_has_computed_does_not_fork() -> None:
    code = (
        "import torch; from trainers.zygote import Unsafe, require_one_thread\n"
        "require_one_thread(); torch.set_num_threads(2); torch.ones(1500, 1500) @ torch.ones(1500, 1500)\n"
        "try: require_one_thread()\nexcept Unsafe as error: print(error)"
    )

    alone = {**os.environ, **environment(1)}
    said = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=True).stdout

    assert re.fullmatch("the zygote has [2-9] threads, and a fork would copy one of them\n", said)


def test_a_rehearsal_that_hangs_or_fails_says_so(tmp_path: Path) -> None:
    code = (
        "import sys, time; from trainers.zygote import Unsafe, rehearse\n"
        "for play in (lambda: time.sleep(60), lambda: sys.exit(3), lambda: None):\n"
        "    try: rehearse(0.3, play); print('safe')\n"
        "    except Unsafe as error: print(error)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == [
        "a trial child did not come back within 0.3 s",
        "a trial child ended with exit code 1",
        "safe",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_a_forked_run_makes_the_same_adapter_bit_by_bit(
    method: str, nursery: Nursery, tiny_base: Path, tmp_path: Path
) -> None:
    made = {}
    for name, executor in (("forked", LocalExecutor(nursery=nursery)), ("fresh", LocalExecutor())):
        folder = building.make_run(tmp_path / name, method, tiny_base, name="same", job="same", threads=2)
        one = Order(folder, f"trainers.{method}", "first", 2)
        executor.start(one)
        wait_for(lambda one=one, executor=executor: not executor.running(one), "the end")  # type: ignore[misc]
        assert executor.exit_code(one) == 0 and forks(one), building.log_of(folder)
        made[name] = (building.events(folder, "done")[0]["adapter_sha256"], building.losses(folder))

    assert made["forked"] == made["fresh"]
