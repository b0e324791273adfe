"""A primary is killed, frozen, and switched over by plan, while records are read and written.

Three PostgreSQL servers under Patroni and etcd, with the files of deploy/; the service names all
three in both of its addresses. Told are the seconds in which no write was acknowledged, what
readers and writers were answered, and in the end that nothing acknowledged was lost.
"""

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chaos.clusters import OLDEST_PATRONI, Cluster, Member, patroni
from chaos.services import Service, say, workplace
from chaos.writers import INCIDENTS, Writers, ask, reckon

READERS = 3
_PATHS = (f"{INCIDENTS}?limit=10", f"{INCIDENTS}?country=UA&limit=10", "/api/v1/communities")


class Readers:
    """Readers without a key, and what they were answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._done = threading.Event()
        self._lock = threading.Lock()
        self.answers: Counter[int] = Counter()
        self.longest = 0.0
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each come to an end."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def restart_clock(self) -> float:
        """Return the longest wait since the last call."""
        with self._lock:
            longest, self.longest = self.longest, 0.0
        return longest

    def _read(self) -> None:
        number = 0
        while not self._done.wait(0.05):
            began = time.monotonic()
            answer = ask(self._address, "GET", _PATHS[number % len(_PATHS)], timeout=60)
            with self._lock:
                self.answers[answer.status] += 1
                self.longest = max(self.longest, time.monotonic() - began)
            number += 1


def kill(cluster: Cluster, leader: Member) -> None:
    """Kill the primary with its Patroni, as when its machine fails."""
    leader.signal(signal.SIGKILL)
    leader.reap()


def freeze(cluster: Cluster, leader: Member) -> None:
    """Freeze the primary with its Patroni: connections stand, and nobody answers."""
    leader.signal(signal.SIGSTOP)


def switch_over(cluster: Cluster, leader: Member) -> None:
    """Change the primary by plan."""
    cluster.switch_over(leader)


def _back(done: str, leader: Member) -> None:
    """Bring back what was killed or frozen."""
    if done == "killed":
        leader.start()
    elif done == "frozen":
        leader.signal(signal.SIGCONT)


EVENTS: dict[str, Callable[[Cluster, Member], None]] = {
    "killed": kill,
    "frozen": freeze,
    "switched over": switch_over,
}


def run() -> None:
    """Run the proof; raises AssertionError for a lost write or a reader's error."""
    with workplace() as folder:
        place = folder / "cluster"
        place.mkdir()
        cluster = Cluster(place)
        try:
            cluster.start()
            _run(folder, cluster)
        except BaseException:
            for log in sorted(place.glob("*.log")):
                say(f"--- {log.name}\n{log.read_text(errors='replace')[-20_000:]}")
            raise
        finally:
            cluster.stop()


def _run(folder: Path, cluster: Cluster) -> None:
    service = Service(folder, cluster.url, DATABASE_READ_URL=cluster.url)
    writers = readers = None
    try:
        key = service.set_up()
        service.start()
        writers, readers = Writers(service.address, key), Readers(service.address)
        writers.start()
        readers.start()
        leader = cluster.wait_until_whole()
        for done, act in EVENTS.items():
            time.sleep(3)
            now = _event(cluster, leader, done, act, writers, readers)
            _back(done, leader)
            leader = cluster.wait_until_whole()
            assert leader is now, f"{leader.name} took its place back from {now.name}"
        readers.stop()
        writers.stop()
        say("  writers saw", **{f"x {s or 'none'}": n for s, n in writers.answers.items()})
        say("  readers saw", **{f"x {s or 'none'}": n for s, n in readers.answers.items()})
        time.sleep(2)  # standbys catch up
        say("  found", **reckon(service, writers))
        assert set(readers.answers) == {200}, readers.answers
    except BaseException:
        say(service.log())
        raise
    finally:
        service.stop()
        for people in (readers, writers):
            if people is not None:
                people.stop()


def _event(
    cluster: Cluster,
    leader: Member,
    done: str,
    act: Callable[[Cluster, Member], None],
    writers: Writers,
    readers: Readers,
) -> Member:
    """Let the LEADER meet with an event, and return the primary that follows it."""
    writers.restart_clock()
    readers.restart_clock()
    before = len(writers.acknowledged)
    act(cluster, leader)
    end = time.monotonic() + 180
    while time.monotonic() < end:
        now = cluster.leader()
        if now is not None and now is not leader and len(writers.acknowledged) > before + 20:
            break
        time.sleep(0.5)
    else:
        raise AssertionError(f"no new primary: {cluster.state()}")
    time.sleep(2)
    say(
        f"  the primary {leader.name} was {done}, {now.name} is now",
        s_without_a_write=round(writers.restart_clock(), 1),
        s_the_longest_read=round(readers.restart_clock(), 2),
    )
    return now


def main() -> None:
    """Run the proof where Patroni and etcd are there."""
    wanted = f"Patroni {'.'.join(map(str, OLDEST_PATRONI))} or later"
    missing = [wanted] * (patroni() is None) + ["etcd"] * (shutil.which("etcd") is None)
    if missing:
        say(f"switchovers: passed over, needs {' and '.join(missing)}")
        return
    say("switchovers under Patroni and etcd")
    run()


if __name__ == "__main__":
    main()
