#!/usr/bin/env python3
"""Starts programs as Cloud Run would and prints their figures: scripts/function_figures.sh.

usage: function_figures.py FOLDER PROGRAM ...
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTS = 21
MOST_MB, MOST_START_MS, MOST_IDLE_MB = 20, 30, 30
# How long a process is left alone before its memory is looked at.
IDLE_SECS = 2
# It asks nobody: no warehouse is opened before a command needs it.
SETTINGS = {
    "SALESYNC_WAREHOUSE": "bigquery:figures/sales",
    "SALESYNC_TRIGGER_SECRET": "only-for-the-figures-and-of-nothing-else",
    "SALESYNC_LOG_FORMAT": "json",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port):
    """Asks once whether it lives; a port on which nobody listens yet is no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def start(program, folder):
    """Starts it and returns the process with the milliseconds until its first answer."""
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    environment = {**kept, **SETTINGS, "HOME": folder, "PORT": str(port)}
    begun = time.perf_counter()
    process = subprocess.Popen([program], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not answers(port):
        if process.poll() is not None:
            sys.exit(f"{program} ended: {process.stderr.read().decode()}")
        if time.perf_counter() - begun > 30:
            process.kill()
            sys.exit(f"{program} did not answer within 30 s")
        time.sleep(0.0002)
    return process, (time.perf_counter() - begun) * 1000


def resident_mb(process):
    kb = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True).stdout
    return int(kb) / 1024


def measure(program):
    starts = []
    with tempfile.TemporaryDirectory() as folder:
        for at in range(STARTS):
            process, took_ms = start(program, folder)
            starts.append(took_ms)
            if at == STARTS - 1:
                time.sleep(IDLE_SECS)
                idle_mb = resident_mb(process)
            process.terminate()
            process.wait(timeout=30)
    return program.stat().st_size / 1e6, statistics.median(starts), min(starts), idle_mb


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    print(f"{'program':<18} {'MB':>7} {'of 20':>6}   {'start ms':>8} {'fastest':>8} {'of 30':>6}   {'idle MB':>7} {'of 30':>6}")
    broken = []
    for name in names:
        size_mb, start_ms, fastest_ms, idle_mb = measure(folder / name)
        print(
            f"{name:<18} {size_mb:>7.1f} {size_mb / MOST_MB:>6.0%}   {start_ms:>8.1f} {fastest_ms:>8.1f} {start_ms / MOST_START_MS:>6.0%}"
            f"   {idle_mb:>7.1f} {idle_mb / MOST_IDLE_MB:>6.0%}",
            flush=True,
        )
        if size_mb > MOST_MB or start_ms > MOST_START_MS or idle_mb > MOST_IDLE_MB:
            broken.append(name)
    if broken:
        sys.exit(f"above what is promised: {', '.join(broken)}")


main()
