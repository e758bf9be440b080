"""Writes the fuzzers' first inputs into corpus/, beside itself: tests/data/pth as it is, its pickles and some more, the
data sets as dataset_files.h describes them. Those of argv are written by hand."""

import pathlib
import pickle
import shutil
import struct
import zipfile

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


if __name__ == "__main__":
    for folder in ("cifar10", "stl10", "pth", "pickle"):
        shutil.rmtree(here / "corpus" / folder, ignore_errors=True)
        (here / "corpus" / folder).mkdir(parents=True)
    cifar10()
    stl10()
    pth()
