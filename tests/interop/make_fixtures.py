"""Makes tests/data/pth: small files as Python's torch.save writes them. Run with the folder as argument."""

import collections
import pathlib
import sys
import zipfile

import torch


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = collections.OrderedDict()
    state["0.weight"] = torch.arange(6.0).view(2, 3)
    state["0.bias"] = torch.tensor([0.5, -0.5], dtype=torch.bfloat16)
    state["1.num_batches_tracked"] = torch.tensor(2**40)
    state["transposed"] = torch.arange(6.0).view(2, 3).t()
    state["parameter"] = torch.nn.Parameter(torch.full((2,), 7.0))
    state._metadata = collections.OrderedDict({"": {"version": 1}, "1": {"version": 2}})
    for protocol in (2, 4):
        torch.save(state, folder / f"python_protocol{protocol}.pth", pickle_protocol=protocol)
    with zipfile.ZipFile(folder / "python_protocol2.pth") as archive:
        (folder / "python_protocol2.pkl").write_bytes(archive.read("python_protocol2/data.pkl"))
    torch.serialization.set_crc32_options(False)
    torch.save(state, folder / "python_without_crc.pth")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
