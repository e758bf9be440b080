"""Writes the fuzzers' first inputs into corpus/, beside itself: tests/data/pth as it is, its pickles and some more, the
data sets as dataset_files.h describes them. Those of argv are written by hand. Needs torch."""

import io
import pathlib
import pickle
import shutil
import struct
import zipfile

import torch

here = pathlib.Path(__file__).parent
names = b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n"
pretraining, train, test = 0, 1, 2
absent = struct.pack("<H", 65535)


def write(fuzzer, name, content):
    folder = here / "corpus" / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def request(split, max_images, *files):
    return bytes([split, max_images]) + b"".join(files)


def file(begin, zeros=0):
    return struct.pack("<HH", len(begin), zeros) + begin


def cifar10():
    record = file(b"\x03\xff\x01", 3070)
    two = file(b"\x09", 2 * 3073 - 1)
    write("cifar10", "train", request(train, 0, file(names), absent, *[record] * 5))
    write("cifar10", "test", request(test, 0, file(names), two))
    write("cifar10", "first_of_two", request(test, 1, file(names), two))
    write("cifar10", "other_lengths", request(train, 0, file(names), absent, *[record] * 4, two))
    write("cifar10", "cut", request(test, 0, file(names), file(b"", 3072)))
    write("cifar10", "unknown_label", request(test, 0, file(names), file(b"\x0a", 3072)))


def stl10():
    image = 3 * 96 * 96
    test_files = [file(b"\x01\x0a"), file(b"\xff\x80", 2 * image - 2)]
    write("stl10", "test", request(test, 0, file(names), *test_files))
    write("stl10", "train", request(train, 1, file(names), absent, absent, *test_files))
    write("stl10", "unlabelled", request(pretraining, 0, file(names), *[absent] * 4, file(b"\x07", image - 1)))
    write("stl10", "too_few_labels", request(test, 0, file(names), file(b"\x01"), test_files[1]))
    write("stl10", "unknown_label", request(test, 0, file(names), file(b"\x01\x0b"), test_files[1]))


def pth():
    for path in (here.parent / "data" / "pth").glob("*.pth"):
        shutil.copy(path, here / "corpus" / "pth" / path.name)
    for name in ("python_protocol2", "python_protocol4"):
        with zipfile.ZipFile(here / "corpus" / "pth" / f"{name}.pth") as archive:
            write("pickle", name, archive.read(f"{name}/data.pkl"))
    shared = ["shared"]
    plain = {"names": shared, "again": (shared, 1, -2, 2**40, 0.5, None, True, "x" * 300), 7: {}}
    for protocol in (2, 4):
        write("pickle", f"plain_protocol{protocol}", pickle.dumps(plain, protocol=protocol))


def checkpoint():
    fields = {"format": "relic_train checkpoint", "format_version": 2, "settings": 'dataset_name = "cifar10"\n'}
    fields |= {"dataset_path": "/data", "dataset_size": 20, "dataset_fingerprint": -5, "log_file": ""}
    fields |= {"step": 7, "epoch_loss_sum": 2.5, "total_loss_sum": 9.5, "epoch_losses": 2, "total_losses": 7}
    fields |= {"evaluated_step": 5, "tested_step": 0, "best_step": 5, "best_score": 0.25, "skipped_steps": 1}
    fields |= {"skipped_in_a_row": 0, "metrics_bytes": 900}
    weights, counter = torch.ones(3, 4), torch.tensor(7)
    first = ["format", "format_version", "settings", "dataset_path", "dataset_size", "log_file", "step"]
    first += ["epoch_loss_sum", "total_loss_sum", "metrics_bytes"]
    without_tensors = {name: {} for name in ("model", "first_moments", "second_moments", "optimizer_steps", "scaler")}
    tensors = {"model": {"0.weight": weights, "0.num_batches_tracked": counter}, "first_moments": {"0.weight": weights}}
    tensors |= {"second_moments": {"0.weight": weights}, "optimizer_steps": {"0.weight": torch.tensor(7.0)}}
    tensors |= {"scaler": {"scale": torch.tensor(65536.0), "growth_tracker": counter}}
    tensors |= {"best_encoder": {"0.weight": 2 * weights}}
    origin = {"machine": "a machine", "build": "a build", "compute_threads": 2}
    for name, content in {
        "whole": fields | tensors | origin,
        "first_version": {key: fields[key] for key in first} | {"format_version": 1} | without_tensors,
        "newer": fields | {"format_version": 99},
    }.items():
        archive = io.BytesIO()
        torch.save(content, archive)
        with zipfile.ZipFile(archive) as file_of:
            write("checkpoint", name, file_of.read("archive/data.pkl"))


if __name__ == "__main__":
    for folder in ("cifar10", "stl10", "pth", "pickle", "checkpoint"):
        shutil.rmtree(here / "corpus" / folder, ignore_errors=True)
        (here / "corpus" / folder).mkdir(parents=True)
    cifar10()
    stl10()
    pth()
    checkpoint()
