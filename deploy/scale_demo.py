"""`make scale-demo`: what `deploy/compose.yaml` runs, as processes of this machine, without Docker.

Two web and two recognition processes, Redis and PostgreSQL; all data is in a folder that goes at the end.
CELLS=2 starts a second Redis with a recognition process of its own, and so on: see docs/scale.md.
"""

from __future__ import annotations

import os
import signal
import threading

from .local_cluster import LocalCluster
from .local_servers import NotInstalled

SAMPLE = """
A session is the same on both. Follow one on the first and send to the second:

    python examples/receive.py demo --server {first} --server {second}
    python examples/send.py sessions_app/sample/meeting.flac --session demo --server {second} --server {first}

Then kill a recognition process (kill -9 {worker}), or the web process that you send to: nothing is lost.
Logs and recordings are in {folder}. Ctrl-C stops everything.
"""


def main() -> None:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        cluster = LocalCluster(webs=2, workers=2, models=os.environ.get("ASR_MODELS", "embedded"))
    except NotInstalled as error:
        raise SystemExit(f"{error}: make servers installs it where that is possible") from error
    with cluster:
        print(cluster.manage("prepare"), end="")
        for place in range(2, int(os.environ.get("CELLS") or 1) + 1):
            cluster.add_cell(f"cell-{place}")
        for process in cluster.processes:
            print(f"    {process.name:10} process {process.pid:6}  {getattr(process, 'http', '')}")
        first, second = (f"ws://127.0.0.1:{web.port}" for web in cluster.webs)
        print(
            SAMPLE.format(
                first=first,
                second=second,
                worker=cluster.workers[0].pid,
                folder=cluster.data_dir,
            ),
            flush=True,
        )
        while not stopping.wait(1.0):
            for process in cluster.processes:
                if not process.is_running:
                    print(f"{process.name} was killed; starting another", flush=True)
                    process.start()
        print("Stopping: what was said is recognised first.", flush=True)


if __name__ == "__main__":
    main()
