"""Python's torch.load(weights_only=True) reads what C++ wrote, as a plain dict with the same names, order and bytes."""

import sys
import tempfile
import warnings
import zipfile

import torch
from pth_tool import call, compare, describe


def main(tool: str) -> None:
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in call(tool, "write_small", folder).items():
            path = f"{folder}/{name}"
            state = torch.load(path, weights_only=True)
            assert type(state) is dict, type(state)
            assert not any(tensor.requires_grad for tensor in state.values())
            compare(name, describe(state), rows)
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
            torch.load(path, weights_only=True, mmap=True)
            if name == "assorted.pth":
                module = torch.nn.Module()
                for index, tensor in enumerate(state.values()):
                    module.register_buffer(str(index), torch.zeros_like(tensor))
                module.load_state_dict(dict(zip(map(str, range(len(state))), state.values())), strict=True)


if __name__ == "__main__":
    main(sys.argv[1])
