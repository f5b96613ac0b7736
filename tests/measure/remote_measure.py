"""In place of what measures a test on a worker: takes its time, and writes down when."""

import os
import time
from pathlib import Path


def measure(test: dict, timeout_s: float, code: str) -> dict | str:
    with Path(test["log"]).open("a", encoding="utf-8") as log:
        print("begins", test["config_id"], os.getpid(), file=log, flush=True)
        time.sleep(test["seconds"])
        print("ends", test["config_id"], os.getpid(), file=log, flush=True)
    if test["config_id"] == "refused":
        return "does not run here"
    return {"model_name": test["model_name"], "hardware": test["hardware"], "status": "ok"}
