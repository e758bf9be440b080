"""What relic_train embed and probe give, in Python: numpy reads the features, torchvision's network computes the same ones
from encoder.pth, and scikit-learn's LogisticRegression on them is right as often as the probe says.

Needs numpy, Pillow, torchvision and scikit-learn; without them it says so and returns 77, which ctest reports as not run.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import types

import torch

NOT_RUN = 77
SIDE = 32
CLASSES = ("blobs", "rings", "stripes")


def draw(rng, kind):
    """A noisy picture of one class: [32, 32, 3] uint8."""
    import numpy as np

    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - rng.uniform(0.3, 0.7, (2, 1, 1))
    frequency = rng.uniform(15, 30)
    wave = {
        "blobs": np.cos(frequency * x) * np.cos(frequency * y),
        "rings": np.cos(frequency * np.hypot(x, y)),
        "stripes": np.cos(frequency * (x + rng.uniform(-1, 1) * y)),
    }[kind]
    picture = 128 + 40 * wave[..., None] * rng.uniform(0.3, 1, 3) + 30 * rng.standard_normal((SIDE, SIDE, 3))
    return picture.clip(0, 255).astype(np.uint8)


def write_pictures(folder):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(5)
    for split, count in (("train", 100), ("test", 60)):
        for kind in CLASSES:
            (folder / split / kind).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(draw(rng, kind)).save(folder / split / kind / f"{i:03}.png")


def torchvision_features(encoder, files):
    import numpy as np
    import torchvision
    from PIL import Image

    net = torchvision.models.resnet18()
    net.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = torch.nn.Identity()
    features = torch.nn.Sequential(*list(net.children())[:-1])
    features.load_state_dict(torch.load(encoder, weights_only=True))
    images = torch.stack([torch.from_numpy(np.array(Image.open(file))) for file in files])
    with torch.no_grad():
        return features.eval()(images.permute(0, 3, 1, 2) / 255).flatten(1).numpy()


def check(program, folder):
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    write_pictures(folder / "pictures")
    run = folder / "run"
    images = ["--dataset_name", "folder", "--dataset_path", folder / "pictures", "--image_size", SIDE]

    def relic_train(*words):
        command = [str(word) for word in (program, *words, "--device", "cpu", "--num_threads", 1, "--quiet")]
        subprocess.run(command, check=True)

    relic_train(*images, "-b", 20, "--max_steps", 5, "-lr", "1e-3", "--num_local_views", 0, "--no_scores", "-save_model_dir", run)
    x, y = {}, {}
    for split in ("train", "test"):
        relic_train("embed", "--encoder", run, *images, "--split", split, "--out", folder / f"{split}.npy")
        x[split] = np.load(folder / f"{split}.npy")
        y[split] = np.load(folder / f"{split}.labels.npy")
        names = (folder / f"{split}.names.txt").read_text().splitlines()
        assert x[split].dtype == np.float32 and x[split].shape == (len(names), 512), x[split].shape
        assert y[split].dtype == np.int64
        assert [CLASSES[label] for label in y[split]] == [name.split("/")[0] for name in names]
        if split == "test":
            expected = torchvision_features(run / "encoder.pth", [folder / "pictures" / split / name for name in names])
            difference = np.abs(x[split] - expected).max() / np.abs(expected).max()
            print(f"features: largest difference from torchvision {difference:.1e} of the largest")
            assert difference < 1e-4

    relic_train("probe", "--encoder", run, *images, "--weights", folder / "head.pth")
    probe = json.loads((run / "probe.json").read_text())["logistic_regression"]
    model = LogisticRegression(C=1.0, max_iter=10000, tol=1e-8).fit(x["train"].astype(np.float64), y["train"])
    theirs = model.score(x["test"].astype(np.float64), y["test"])
    print(f"top-1: probe {probe['top1']:.4f}, scikit-learn {theirs:.4f}")
    assert 0.4 < theirs < 1, "the pictures tell nothing about the probe"
    assert abs(probe["top1"] - theirs) <= 0.002
    head = torch.load(folder / "head.pth", weights_only=True)
    difference = np.abs(head["weight"].numpy() - model.coef_).max() / np.abs(model.coef_).max()
    print(f"weights: largest difference {difference:.1e} of the largest")
    assert difference < 1e-3


def main(program):
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
    try:
        import numpy, PIL, sklearn, torchvision  # noqa: E401,F401
    except ImportError as error:
        print(f"not run: {error}")
        return NOT_RUN
    with tempfile.TemporaryDirectory() as name:
        check(program, pathlib.Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[2]))
