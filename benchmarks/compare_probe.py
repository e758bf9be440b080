#!/usr/bin/env python3
"""relic_train probe beside scikit-learn's LogisticRegression on the same frozen features: accuracy and time of the fit.

    benchmarks/compare_probe.py build/release/bin/relic_train ENCODER --dataset_name cifar10 --dataset_path data

Needs numpy and scikit-learn. Features are written by relic_train embed; scikit-learn fits them as the original's probe
does (C = 1, L-BFGS), once stopped after 100 iterations and once run on.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("encoder")
    arguments, images = parser.parse_known_args()

    def run(command, *more):
        words = [arguments.program, command, "--encoder", arguments.encoder, *images, *more]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        features, labels = {}, {}
        for split in ("train", "test"):
            run("embed", "--split", split, "--out", str(folder / f"{split}.npy"))
            features[split] = np.load(folder / f"{split}.npy")
            labels[split] = np.load(folder / f"{split}.labels.npy")
        run("probe", "--report", str(folder / "probe.json"))
        report = json.loads((folder / "probe.json").read_text())["logistic_regression"]
    count, dimensions = features["train"].shape
    print(f"{count} x {dimensions} training features, {len(features['test'])} test features")
    print(f"relic_train probe: top-1 {100 * report['top1']:.2f} %, {report['iterations']} iterations, "
          f"{report['seconds']:.1f} s, converged: {report['converged']}")
    for iterations, tolerance in ((100, 1e-4), (2000, 1e-6)):
        model = LogisticRegression(C=1.0, max_iter=iterations, tol=tolerance)
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(features["train"].astype(np.float64), labels["train"])
        seconds = time.perf_counter() - began
        accuracy = model.score(features["test"].astype(np.float64), labels["test"])
        print(f"scikit-learn, max_iter {iterations}, tol {tolerance}: top-1 {100 * accuracy:.2f} %, "
              f"{model.n_iter_[0]} iterations, {seconds:.1f} s")


if __name__ == "__main__":
    main()
