"""The training loop of relic-pytorch 0.4.1, around its own networks, loss and views: each view through the network on its own,
the loss pair by pair, `.item()` twice a step. The package does not ship its script; this follows it as it is described in
its repository, but for the local views, of which it uses the first two global ones again (--as_it_is does, too).

Run by compare_original.py. Prints one JSON object: images/s end to end and of the step alone (views ready), and the seconds
from --began (of time.time()) to the end of the first step.
"""

import argparse
import importlib.metadata
import json
import math
import pathlib
import sys
import time
import types

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("none"))  # a torch without CUDA operators
sys.modules.setdefault("datasets", types.SimpleNamespace(load_dataset=None))  # of data sets that are not used here

import numpy as np
import torch
from PIL import Image
from relic.aug import ViewGenerator
from relic.relic import ReLIC, relic_loss
from relic.utils import get_encoder
from torch.utils.data import DataLoader, Dataset

WARM_UP = 3


class Cifar10(Dataset):
    """As torchvision's: uint8 in memory, an image of PIL for each access."""

    def __init__(self, folder, transform):
        files = [folder / "cifar-10-batches-bin" / f"data_batch_{i}.bin" for i in range(1, 6)]
        rows = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])
        self.labels = rows[:, 0]
        self.pixels = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(np.ascontiguousarray(self.pixels[index]))), int(self.labels[index])


class Training:
    def __init__(self, args):
        self.args = args
        self.device = torch.device(args.device)
        torch.manual_seed(42)
        self.model = ReLIC(get_encoder(args.encoder, modify_model=args.image_size <= 32)).to(self.device)
        self.model.train()  # as torchinfo's summary leaves it
        self.optimizer = torch.optim.Adam(
            list(self.model.online_encoder.parameters()) + [self.model.tau, self.model.b], lr=3e-4, weight_decay=1e-5
        )
        self.scaler = torch.amp.GradScaler("cuda") if args.precision == "fp16" else None
        self.dtype = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[args.precision]
        self.gamma = 0.99
        self.step_number = 0

    def online_views(self, views):
        count = self.args.num_global_views
        return views[:count] + (views[: len(views) - count] if self.args.as_it_is else views[count:])

    def step(self, views):
        args, model = self.args, self.model
        views = [view.to(self.device, non_blocking=True) for view in views]
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            targets = [model.get_target_pred(view) for view in views[: args.num_global_views]]
            online = [model.get_online_pred(view) for view in self.online_views(views)]
            loss, invariance, pairs = 0, 0, 0
            for i, target in enumerate(targets):
                for j, projection in enumerate(online):
                    if i != j:
                        one, one_invariance = relic_loss(projection, target.clone(), model.tau, model.b, 1.0)
                        loss, invariance, pairs = loss + one, invariance + one_invariance, pairs + 1
            loss, invariance = loss / pairs, invariance / pairs
        self.optimizer.zero_grad()
        if self.scaler:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            loss.backward()
            self.optimizer.step()
        if self.step_number > 1:
            model.update_params(self.gamma)
            self.gamma = 1 - 0.01 * (math.cos(math.pi * self.step_number / args.schedule) + 1) / 2
        else:
            model.copy_params()
        self.step_number += 1
        return loss.item(), invariance.item()


def timed(training, views_of_steps, warm_up, steps):
    """Images/s of the steps after the first `warm_up`."""
    for _ in range(warm_up):
        training.step(next(views_of_steps))
    began = time.perf_counter()
    for _ in range(steps):
        training.step(next(views_of_steps))
    return steps * training.args.batch_size / (time.perf_counter() - began)


def forever(loader):
    while True:
        for views, _ in loader:
            yield views


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset_path", type=pathlib.Path)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--image_size", type=int, default=32)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num_workers", type=int, default=1)
    parser.add_argument("--num_global_views", type=int, default=2)
    parser.add_argument("--num_local_views", type=int, default=4)
    parser.add_argument("--as_it_is", action="store_true")
    parser.add_argument("--began", type=float, default=time.time())
    args = parser.parse_args()
    if importlib.metadata.version("relic-pytorch") != "0.4.1":
        sys.exit("relic-pytorch is not 0.4.1")

    dataset = Cifar10(args.dataset_path, ViewGenerator(args.image_size, args.num_global_views, args.num_local_views))
    loader = DataLoader(
        dataset,
        batch_size=args.batch_size,
        shuffle=True,
        num_workers=args.num_workers,
        drop_last=True,
        pin_memory=args.device != "cpu",
    )
    args.schedule = len(loader) * 102
    training = Training(args)
    batches = forever(loader)
    views = next(batches)
    training.step(views)
    first_step = time.time() - args.began
    # Workers have filled their queue, two batches each, while the first step warmed up: those are not its pace.
    queue = 2 * args.num_workers
    end_to_end = timed(training, batches, max(WARM_UP, queue), max(args.steps, 2 * queue))
    del batches
    views = [view.to(training.device) for view in views]
    step_alone = timed(training, iter(lambda: views, None), WARM_UP, args.steps)
    print(json.dumps({"end_to_end": end_to_end, "step_alone": step_alone, "first_step_seconds": first_step}))


if __name__ == "__main__":
    main()
