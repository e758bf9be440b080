#!/usr/bin/env python3
"""Loads 500x375 JPEGs and makes two global views of 192 pixels and four local ones of 82: by relic_train's loader and by
torchvision and PIL, as relic-pytorch does it, in turns (A B A B ...), on the same files and cores.

    benchmarks/compare_loading.py build/release/bin/loading_benchmark [--rounds 3] [--seconds 15]

Needs torch, torchvision, numpy and Pillow. Prints images/s of each round, and the ratios of the medians: to its loader (the
DataLoader, batches handed over to the training's process), and to its views alone (as many processes, nothing handed over).
"""

import argparse
import io
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import types

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("none"))  # a torch without CUDA operators

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

SIZE = 192
BATCH = 64


def write_images(folder, count):
    """Pictures with the statistics of photographs (power falls with frequency), as JPEG of quality 90."""
    rng = np.random.default_rng(0)
    fy = np.fft.fftfreq(375)[:, None]
    fx = np.fft.rfftfreq(500)[None, :]
    falloff = 1 / np.maximum(np.hypot(fy, fx), 1 / 500) ** 1.2
    total = 0
    for i in range(count):
        noise = rng.standard_normal((3, 375, 251)) + 1j * rng.standard_normal((3, 375, 251))
        gray = noise[:1] + 0.4 * noise  # channels go together, as in photographs
        picture = np.fft.irfft2(gray * falloff, s=(375, 500), axes=(1, 2))
        picture = 128 + 50 * picture / picture.std()
        image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8).transpose(1, 2, 0))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90)
        total += len(buffer.getvalue())
        (folder / f"{i:05}.jpg").write_bytes(buffer.getvalue())
    return total / count


class Views(Dataset):
    """The original's views: its table of transforms, on PIL images."""

    def __init__(self, folder):
        self.files = sorted(folder.glob("*.jpg"))
        kernel = int(SIZE * 0.1) | 1

        def chain(size, smallest, solarize):
            steps = [
                transforms.RandomResizedCrop(size, scale=(smallest, 1.0)),
                transforms.RandomHorizontalFlip(),
                transforms.RandomApply([transforms.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
                transforms.RandomGrayscale(p=0.2),
                transforms.GaussianBlur(kernel, (0.1, 2.0)),
            ]
            if solarize:
                steps.append(transforms.RandomSolarize(127, p=0.2))
            return transforms.Compose(steps + [transforms.ToTensor()])

        self.views = [chain(SIZE, 0.1, True)] * 2 + [chain(SIZE * 3 // 7, 0.05, False)] * 4

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as file:
            image = file.convert("RGB")
        return [view(image) for view in self.views]


def pil_rate(folder, workers, seconds):
    loader = DataLoader(Views(folder), BATCH, shuffle=True, drop_last=True, num_workers=workers, prefetch_factor=2,
                        persistent_workers=True)

    def batches():
        while True:
            yield from loader

    source = batches()
    for _ in range(2):
        next(source)
    began = time.perf_counter()
    done = 0
    while time.perf_counter() - began < seconds:
        next(source)
        done += BATCH
    return done / (time.perf_counter() - began)


def make_views(folder, seconds, counts):
    torch.set_num_threads(1)
    views = Views(folder)
    done = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        views[done % len(views)]
        done += 1
    counts.put(done / (time.perf_counter() - began))


def pil_views_rate(folder, workers, seconds):
    counts = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=make_views, args=(folder, seconds, counts)) for _ in range(workers)]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def our_rate(program, folder, workers, seconds):
    command = [program, folder, SIZE, workers, BATCH, seconds]
    return float(subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--images", type=int, default=512)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    workers = len(os.sched_getaffinity(0))
    ours, loader, views = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        size = write_images(folder, arguments.images)
        print(f"{arguments.images} JPEGs of 500x375, {size / 1000:.0f} KB each, {workers} workers")
        for _ in range(arguments.rounds):
            ours.append(our_rate(arguments.program, folder, workers, arguments.seconds))
            loader.append(pil_rate(folder, workers, arguments.seconds))
            views.append(pil_views_rate(folder, workers, arguments.seconds))
            print(f"images/s: relic_train {ours[-1]:.1f}, torchvision and PIL {loader[-1]:.1f}, their views alone {views[-1]:.1f}",
                  flush=True)
    for name, rates in (("torchvision and PIL", loader), ("their views alone", views)):
        print(f"relic_train to {name}: {statistics.median(ours) / statistics.median(rates):.2f}")


if __name__ == "__main__":
    main()
