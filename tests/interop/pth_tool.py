"""How the scripts beside this file call the C++ tool and describe tensors as it does."""

import json
import subprocess
import zlib

import torch

# c10's names of types, as the tool prints them.
TYPE_NAMES = {
    torch.float32: "Float",
    torch.float64: "Double",
    torch.float16: "Half",
    torch.bfloat16: "BFloat16",
    torch.int64: "Long",
    torch.int32: "Int",
    torch.int16: "Short",
    torch.int8: "Char",
    torch.uint8: "Byte",
    torch.bool: "Bool",
}


def call(tool: str, *arguments: str) -> dict:
    """The tool's answer; its error message and status where it fails."""
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} {' '.join(map(str, arguments))} returned {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def describe(state: dict) -> list:
    rows = []
    for name, tensor in state.items():
        values = tensor.detach().contiguous()
        raw = values.flatten().view(torch.uint8).numpy().tobytes() if values.numel() else b""
        rows.append([name, TYPE_NAMES[tensor.dtype], list(tensor.shape), zlib.crc32(raw), values.double().sum().item()])
    return rows


def compare(what: str, mine: list, theirs: list) -> None:
    """Raises where two descriptions differ; sums may differ by the order of addition."""
    if len(mine) != len(theirs):
        raise AssertionError(f"{what}: {len(mine)} tensors against {len(theirs)}")
    for a, b in zip(mine, theirs):
        if a[:4] != b[:4] or abs(a[4] - b[4]) > 1e-9 * max(1.0, abs(a[4])):
            raise AssertionError(f"{what}: {a} against {b}")
    print(f"{what}: {len(mine)} tensors equal in name, order, type, shape and bytes")
