"""Asks peers that run in an environment of their own (`peer_policies.py`).

The environment is made once, of the dependencies that the head of the script pins, and kept in the
user's cache. pip makes it: uv resolves PyTorch to the build for graphics cards, gigabytes.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

import numpy as np
from embedding import embedded, log_target
from filelock import FileLock

from models_py.replay import Policy, State

SCRIPT = Path(__file__).with_name("peer_policies.py")
CACHE = Path.home() / ".cache" / "benchmart-benchmarks"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def peer(name: str) -> Policy:
    """The policy of a peer of `peer_policies.py`, on the points of `embedding.py`."""

    def policy(state: State, count: int) -> np.ndarray:
        known, asked = embedded(state)
        seed = int(state.generator.integers(2**31))
        target = log_target(state)
        return _ask(peer=name, known=known, asked=asked, target=target, count=count, seed=seed)

    return policy


def _ask(**request: object) -> np.ndarray:
    worker = _worker()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "request.npz"
        np.savez(path, **request)
        worker.stdin.write(f"{path}\n")
        worker.stdin.flush()
        if worker.stdout.readline() != "answered\n":
            worker.kill()
            raise RuntimeError(f"{SCRIPT.name} stopped at {request['peer']}; its error is above")
        with np.load(path.with_name("answer.npz"), allow_pickle=False) as answer:
            return answer["chosen"]


@functools.cache
def _worker() -> subprocess.Popen:
    """One a process, kept: PyTorch takes seconds to import. It ends with its standard input."""
    return subprocess.Popen(
        [_interpreter(), SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ONE_THREAD,
    )


def _interpreter() -> Path:
    """Python of the environment, which is made where it is missing."""
    wanted = _dependencies()
    content = " ".join([sys.version, *wanted])
    place = CACHE / f"peers-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    python, complete = place / "bin" / "python", place / "complete"
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not complete.exists():
            print(f"Making the environment of the peers in {place}", file=sys.stderr, flush=True)
            venv.create(place, with_pip=True, clear=True)
            made = subprocess.run([python, "-m", "pip", "install", "-qq", *wanted])
            if made.returncode:
                raise SystemExit(
                    "The environment of the peers cannot be made: pip failed, see above"
                )
            complete.touch()
    return python


def _dependencies() -> list[str]:
    """What the head of the script asks for (PEP 723)."""
    head = re.search(r"(?ms)^# /// script$\n(.*?)^# ///$", SCRIPT.read_text())
    return tomllib.loads(re.sub(r"(?m)^# ?", "", head[1]))["dependencies"]
