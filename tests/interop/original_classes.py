"""What C++ wrote goes into the classes of relic-pytorch 0.4.1 with strict=True, and gives the features C++ computes.

Needs relic-pytorch==0.4.1, torchvision and Pillow (pip install --no-deps relic-pytorch==0.4.1 torchvision pillow);
without them it says so and returns 77, which ctest reports as not run.
"""

import importlib.metadata
import subprocess
import sys
import tempfile
import types

import torch
from pth_tool import call, compare, describe

NOT_RUN = 77
VERSION = "0.4.1"


def import_original():
    """torchvision, with relic beside it. torchvision's compiled operators may be for another PyTorch than this one and are not
    needed; relic's data sets need `datasets`, which is not either."""
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
    stub = types.ModuleType("datasets")
    stub.load_dataset = None
    sys.modules.setdefault("datasets", stub)
    version = importlib.metadata.version("relic-pytorch")
    if version != VERSION:
        raise ImportError(f"relic-pytorch is {version}, not {VERSION}")
    import relic.relic
    import torchvision

    return torchvision


def build(name: str):
    """The original's encoder for a file "resnet18_cifar.pth", in eval mode."""
    from relic.utils import get_encoder

    model, stem = name.removesuffix(".pth").split("_")
    return get_encoder(model, stem == "cifar").eval()


def check_outputs(what: str, module: torch.nn.Module, path: str) -> None:
    """The module computes what C++ computed from the same images, to float32's rounding."""
    saved = torch.load(path, weights_only=True)
    with torch.no_grad():
        outputs = module(saved["images"])
    assert outputs.shape == saved["outputs"].shape, (outputs.shape, saved["outputs"].shape)
    difference = ((outputs - saved["outputs"]).abs().max() / saved["outputs"].abs().max()).item()
    print(f"{what}: largest difference {difference:.1e} of the largest output")
    assert difference < 1e-4, what


def check(tool: str) -> None:
    from relic.relic import ReLIC

    with tempfile.TemporaryDirectory() as folder:
        files = call(tool, "write_models", folder)
        for name in [name for name in files if not name.endswith("_outputs.pth")]:
            state = torch.load(f"{folder}/{name}", weights_only=True)
            compare(name, describe(state), files[name])
            whole = name == "relic_model.pth"
            module = ReLIC(build("resnet18_cifar.pth")) if whole else build(name)
            own = module.state_dict()
            assert list(own) == list(state), "order of names"
            assert [t.dtype for t in own.values()] == [t.dtype for t in state.values()], "types"
            module.load_state_dict(state, strict=True)
            module.eval()
            network = module.target_encoder if whole else module
            check_outputs(name, network, f"{folder}/{name.removesuffix('.pth')}_outputs.pth")

            # And back: what the original saves is what C++ reads.
            torch.save(module.state_dict(), f"{folder}/original_{name}")
            back = call(tool, "read", f"{folder}/original_{name}")[f"original_{name}"]
            compare(f"original_{name}", describe(state), back)


def check_program(program: str) -> None:
    """relic_train starts from a relic_model.pth that the original saved; at learning rate 0 its weights come out again."""
    from relic.relic import ReLIC

    torch.manual_seed(1)
    model = ReLIC(build("resnet18_cifar.pth"))
    with tempfile.TemporaryDirectory() as folder:
        weights = f"{folder}/theirs.pth"
        torch.save(model.state_dict(), weights)
        run = f"{folder}/run"
        options = "--dataset_name shapes --max_images 8 -b 4 --max_steps 1 --num_local_views 0 -lr 0 -wd 0 --device cpu"
        command = [program, *options.split(), "--ckpt_path", weights, "-save_model_dir", run]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        trained = torch.load(f"{run}/relic_model.pth", weights_only=True)
    names = [name for name, _ in model.named_parameters()]
    assert len(names) > 100, names
    for name in names:
        assert torch.equal(trained[name], model.state_dict()[name]), name
    print(f"relic_train --ckpt_path: {len(names)} parameters as the original saved them")


def main(tool: str, program: str) -> int:
    try:
        torchvision = import_original()
    except ImportError as error:
        print(f"not run: {error}; pip install --no-deps relic-pytorch=={VERSION} torchvision pillow")
        return NOT_RUN
    print(f"relic-pytorch {VERSION}, torchvision {torchvision.__version__}, torch {torch.__version__}")
    check(tool)
    check_program(program)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
