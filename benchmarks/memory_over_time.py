#!/usr/bin/env python3
"""Whether a training's memory stays flat: runs a command and samples its resident memory.

    benchmarks/memory_over_time.py --minutes 60 build/release/bin/relic_train --dataset_name shapes …

Prints, for each of ten equal parts of the time after the first tenth, the mean and the largest resident memory in MB, and
the slope of a line through the samples of the second half, in MB an hour. The command is then ended with SIGTERM.
"""
import argparse
import pathlib
import signal
import subprocess
import sys
import time


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


def slope(samples):
    """Of (hours, MB), by least squares."""
    mean_t = sum(t for t, _ in samples) / len(samples)
    mean_m = sum(m for _, m in samples) / len(samples)
    return sum((t - mean_t) * (m - mean_m) for t, m in samples) / sum((t - mean_t) ** 2 for t, _ in samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=5, help="seconds between two samples")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    process = subprocess.Popen(arguments.command, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    samples = []
    while (now := time.monotonic() - began) < 60 * arguments.minutes:
        if process.poll() is not None:
            sys.exit(f"the command ended by itself after {now:.0f} s, with status {process.returncode}")
        if (mb := resident_mb(process.pid)) is not None:
            samples.append((now / 3600, mb))
        time.sleep(arguments.every)
    process.send_signal(signal.SIGTERM)
    status = process.wait()
    begin = len(samples) // 10
    warm = samples[begin:]
    print(f"{len(samples)} samples in {arguments.minutes:g} minutes, after the first tenth:")
    for part in range(10):
        values = [mb for _, mb in warm[part * len(warm) // 10 : (part + 1) * len(warm) // 10]]
        print(f"part {part + 1:2}: mean {sum(values) / len(values):7.1f} MB, at most {max(values):7.1f} MB")
    half = samples[len(samples) // 2 :]
    print(f"slope of the second half {slope(half):+.2f} MB an hour; the command ended with status {status}")


if __name__ == "__main__":
    main()
