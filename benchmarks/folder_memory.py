#!/usr/bin/env python3
"""Peak resident memory of a training on a folder of many images, beside the same training on few of them.

    benchmarks/folder_memory.py build/release/bin/relic_train [--images 200000]

Needs Pillow. The folder has 200 classes and holds hard links to 500 JPEGs of 500x375 pixels; relic_train makes ten
steps of 64 images at 64 pixels.
"""

import argparse
import os
import pathlib
import resource
import subprocess
import tempfile

from PIL import Image


def make_folder(root, originals, count):
    for i in range(count):
        folder = root / f"class_{i % 200:03}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(originals[i % len(originals)], folder / f"a_picture_of_mine_{i:07}.jpg")


def peak_memory(program, folder, run):
    """Megabytes, of a child of its own."""
    pid = os.fork()
    if pid == 0:
        words = [program, "--dataset_name", "folder", "--dataset_path", folder, "--image_size", 64, "-b", 64, "--max_steps", 10,
                 "--no_scores", "--quiet", "-save_model_dir", run]
        failed = subprocess.run([str(word) for word in words]).returncode
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, flush=True)
        os._exit(failed)
    _, status, _ = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit("the training failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--images", type=int, default=200_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        originals = []
        for i in range(500):
            originals.append(root / f"{i}.jpg")
            Image.effect_noise((500, 375), 40 + i % 40).convert("RGB").save(originals[-1], quality=80)
        for count in (2000, arguments.images):
            make_folder(root / str(count), originals, count)
            print(f"{count} images, peak resident memory in MB: ", end="", flush=True)
            peak_memory(arguments.program, root / str(count), root / f"run_{count}")


if __name__ == "__main__":
    main()
