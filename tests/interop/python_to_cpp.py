"""C++ reads what Python's torch.save wrote, in every pickle protocol that it can write."""

import collections
import sys
import tempfile

import torch
from pth_tool import TYPE_NAMES, call, compare, describe


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, bias=False),
        torch.nn.BatchNorm2d(8),
        torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.PReLU()),
    )


def assorted() -> dict:
    state = {f"type.{name}": torch.arange(6).view(2, 3).to(dtype) for dtype, name in TYPE_NAMES.items()}
    base = torch.arange(1000.0)
    state["slice"] = base[100:110]
    state["same storage"] = base[50:60]
    state["transposed"] = torch.arange(12.0).view(3, 4).t()
    state["channels_last"] = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    state["expanded"] = torch.ones(1).expand(4)
    state["empty"] = torch.empty(0, 3)
    state["scalar"] = torch.tensor(0.25)
    state["big"] = torch.tensor([2**40, -(2**63)])
    state["parameter"] = torch.nn.Parameter(torch.ones(2))
    state["ünïcode"] = torch.zeros(1)
    return state


def main(tool: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = {}
        for protocol in (2, 3, 4, 5):
            for kind, state in (("module", network().state_dict()), ("assorted", assorted())):
                name = f"{kind}_{protocol}.pth"
                torch.save(state, f"{folder}/{name}", pickle_protocol=protocol)
                saved[name] = state
        many = collections.OrderedDict((f"layer.{i}.weight", torch.full((2,), float(i))) for i in range(2000))
        torch.save(many, f"{folder}/many.pth")
        saved["many.pth"] = many

        read = call(tool, "read", *(f"{folder}/{name}" for name in saved))
        for name, state in saved.items():
            compare(name, describe(state), read[name])

        torch.save(network().state_dict(), f"{folder}/old.pth", _use_new_zipfile_serialization=False)
        torch.save(network(), f"{folder}/network.pth")
        torch.jit.script(network()).save(f"{folder}/script.pth")
        for name, expected in (
            ("old.pth", "before PyTorch 1.6"),
            ("network.pth", "asks for torch.nn.modules.container.Sequential"),
            ("script.pth", "a TorchScript archive"),
        ):
            try:
                call(tool, "read", f"{folder}/{name}")
            except RuntimeError as error:
                assert expected in str(error), error
                print(f"{name}: refused, {error}")
            else:
                raise AssertionError(f"{name} was read")


if __name__ == "__main__":
    main(sys.argv[1])
