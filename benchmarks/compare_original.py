#!/usr/bin/env python3
"""Trains by relic_train and by relic-pytorch 0.4.1, in turns (A B A B ...), on the same images, batch, views, precision and
machine, and prints images/s of each, end to end and of the step alone (views ready), and the ratios.

    benchmarks/compare_original.py build/release/bin/relic_train --precision bf16 --batch_size 64

The original runs in a Python that has torch, torchvision, relic-pytorch==0.4.1, numpy and Pillow: the one that --python names,
else a venv for CPUs that is made in build/compare_original (with the torch of scripts/quickstart.sh). Without --dataset_path, images
of noise in CIFAR-10's format are trained on: the time does not depend on what they show. The step alone of relic_train is
that of `training_benchmark`, where it is built (-DRELIC_BUILD_BENCHMARKS=ON).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def make_python(folder):
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet"]
    missing = "import torch, torchvision, numpy, PIL, importlib.metadata as m; assert m.version('relic-pytorch') == '0.4.1'"
    stub = "import sys, types; sys.modules['torchvision._meta_registrations'] = types.ModuleType('none'); "
    if subprocess.run([python, "-c", stub + missing], capture_output=True).returncode != 0:
        # As scripts/setup.sh: for CPUs. That of the default index is several gigabytes, for a GPU.
        cpu = "torch==2.13.0+cpu"
        if subprocess.run([*install, cpu], capture_output=True).returncode != 0:
            subprocess.run([*install, cpu, "--index-url", "https://download.pytorch.org/whl/cpu"], check=True)
        subprocess.run([*install, "numpy", "Pillow"], check=True)
        subprocess.run([*install, "--no-deps", "torchvision==0.28.0", "relic-pytorch==0.4.1"], check=True)
    return python


def write_noise(folder):
    """50,000 training and 10,000 test images in the layout of CIFAR-10's binary archive."""
    batches = folder / "cifar-10-batches-bin"
    batches.mkdir()
    noise = os.urandom(10_000 * 3073)
    rows = bytearray(noise)
    rows[::3073] = bytes(i % 10 for i in range(10_000))
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        (batches / f"{name}.bin").write_bytes(rows)
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (batches / "batches.meta.txt").write_text("\n".join(classes) + "\n")


def run(command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)}\nfailed:\n{result.stderr[-2000:]}{result.stdout[-2000:]}")
    return result.stdout


def ours(args, settings, folder):
    flags = [f"--{name}={value}" for name, value in settings.items()]
    steps = args.steps + 8  # those that warm up, and the one after the last
    command = [args.program, *flags, f"--max_steps={steps}", f"--profile={args.steps}", "--no_scores", "--no_download"]
    with tempfile.TemporaryDirectory(dir=folder) as run_folder:
        log = run([*command, f"--dataset_path={args.dataset_path}", "--overwrite", "-save_model_dir", run_folder])
    rate = re.search(r"time of a step, mean of \d+: [\d.]+ ms, ([\d.]+) images/s", log)
    if rate is None:
        sys.exit(f"no time of a step in what {args.program} says:\n{log}")
    result = {"end_to_end": float(rate[1]), "first_step_seconds": first_step(args, flags, folder)}
    benchmark = args.program.parent / "training_benchmark"
    if not benchmark.exists():
        print(f"no {benchmark} (-DRELIC_BUILD_BENCHMARKS=ON): the step alone is left out", file=sys.stderr)
    else:
        words = [f"{name}={value}" for name, value in settings.items()]
        report = run([benchmark, *words, "--benchmark_filter=whole_step", "--benchmark_format=json", "--benchmark_min_time=8"])
        result["step_alone"] = json.loads(report[report.index("{") :])["benchmarks"][0]["items_per_second"]
    return result


def first_step(args, flags, folder):
    """Seconds from the launch to the first row of metrics.csv."""
    with tempfile.TemporaryDirectory(dir=folder) as run_folder:
        metrics = pathlib.Path(run_folder) / "metrics.csv"
        command = [args.program, *flags, "--max_steps=1", "--no_scores", "--no_download", "--overwrite"]
        command += [f"--dataset_path={args.dataset_path}", "-save_model_dir", run_folder]
        began = time.time()
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and not (metrics.exists() and metrics.stat().st_size > 0):
                time.sleep(0.002)
            seconds = time.time() - began
        if process.returncode != 0:
            sys.exit(f"{' '.join(str(word) for word in command)}\nfailed: exit status {process.returncode}")
        return seconds


def theirs(args, settings, folder):
    command = [args.python, HERE / "original_training.py", args.dataset_path, f"--encoder={args.encoder}"]
    command += [f"--image_size={args.image_size}", f"--batch_size={args.batch_size}", f"--precision={args.original_precision}"]
    command += [f"--steps={args.steps}", f"--device={args.device}", f"--num_workers={args.num_workers}"]
    command += ["--as_it_is"] if args.as_it_is else []
    return json.loads(run([*command, f"--began={time.time()}"]).splitlines()[-1])


def existing(path):
    if shutil.which(path) is None and not os.path.exists(path):
        raise argparse.ArgumentTypeError(f"there is no {path}")
    return pathlib.Path(path)


def positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be an integer of at least 1")
    return int(text)


def main():
    class Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
        pass

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Formatter)
    parser.add_argument("program", type=existing, help="relic_train")
    parser.add_argument("--python", type=existing, help="of the original; without it a venv for CPUs is made")
    parser.add_argument("--dataset_path", type=existing, help="a folder with cifar-10-batches-bin")
    parser.add_argument("--encoder", choices=["resnet18", "resnet50", "efficientnet"], default="resnet18", help="of both")
    parser.add_argument("--image_size", type=int, default=32, help="side of a global view")
    parser.add_argument("--batch_size", type=positive, default=64, help="images in a step")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32", help="fp16 on a GPU alone")
    parser.add_argument("--original_precision", choices=["fp32", "bf16", "fp16"], help="of its model, if not the same")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--num_workers", type=int, default=max(1, len(os.sched_getaffinity(0)) - 8), help="of the original's loader: cores - 8, as it has it, but at least 1")
    parser.add_argument("--as_it_is", action="store_true", help="its local views are the globals again; ours with --compat 0.4.1")
    parser.add_argument("--steps", type=positive, default=10, help="that are timed")
    parser.add_argument("--rounds", type=positive, default=2, help="of ours and theirs")
    args = parser.parse_args()
    if not re.fullmatch(r"cpu|cuda(:\d+)?", args.device):
        parser.error(f"--device {args.device}: must be cpu, cuda or cuda:N")
    if args.device == "cpu" and "fp16" in (args.precision, args.original_precision):
        parser.error("fp16 needs --device cuda")
    if args.python is None and args.device != "cpu":
        parser.error(f"--device {args.device} needs --python, one with a torch for it")
    args.original_precision = args.original_precision or args.precision

    settings = {"dataset_name": "cifar10", "encoder_model_name": args.encoder, "image_size": args.image_size}
    # As the original chooses it; `auto` takes the small one for CIFAR's images whatever size they are cut to.
    settings["stem"] = "cifar" if args.image_size <= 32 else "imagenet"
    settings |= {"batch_size": args.batch_size, "precision": args.precision, "device": args.device, "gamma": 0.99}
    if args.as_it_is:
        settings["compat"] = "0.4.1"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if args.python is None:
            args.python = make_python(HERE.parent / "build" / "compare_original")
        if args.dataset_path is None:
            args.dataset_path = folder
            write_noise(folder)
        results = {"relic_train": [], "relic-pytorch": []}
        for _ in range(args.rounds):
            results["relic_train"].append(ours(args, settings, folder))
            results["relic-pytorch"].append(theirs(args, settings, folder))
    precisions = args.precision if args.precision == args.original_precision else f"{args.precision} beside {args.original_precision}"
    what = f"{args.encoder}, {args.image_size} pixels, batch {args.batch_size}, {precisions}, {args.device}"
    print(f"{what}, {args.num_workers} workers of the original's loader; images/s, {args.rounds} rounds in turns")
    print(f"{'':24}{'relic_train':24}{'relic-pytorch':24}ratio of medians")
    for key, label in [("end_to_end", "end to end"), ("step_alone", "step alone"), ("first_step_seconds", "first step after, s")]:
        values = {side: [result[key] for result in rows if key in result] for side, rows in results.items()}
        if not all(values.values()):
            continue
        cells = [", ".join(f"{value:.1f}" for value in values[side]) for side in results]
        a, b = (statistics.median(values[side]) for side in results)
        ratio = b / a if key == "first_step_seconds" else a / b
        print(f"{label:24}{cells[0]:24}{cells[1]:24}{ratio:.2f}")


if __name__ == "__main__":
    main()
