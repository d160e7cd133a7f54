"""Models made up in FluCoMa's JSON form, new and old, from a seed; and their forward pass in plain loops."""

import json
import math

import numpy as np

INPUTS = 26
OLD = ("cols", "numpoints")
"""What older files lack."""


def made_up(seed=0, old=False, hidden=(14,), activations=(2, 1), labels=("good", "bad"), components=20, bases=INPUTS):
    """The three files as objects; numbers of the size that MFCCs have, so that sounds fall on both sides."""
    generator = np.random.default_rng(seed)
    mean = np.concatenate([[-700, 110], generator.normal(0, 15, 11), [12000, 2000], generator.uniform(90, 700, 11)])
    std = np.concatenate([[150, 70], generator.uniform(8, 40, 11), [12000, 2000], generator.uniform(90, 700, 11)])
    sizes = (components, *hidden, len(labels))
    layers = []
    for rows, cols, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        layer = {"activation": activation, "biases": generator.normal(0, 0.3, cols).tolist(), "cols": cols}
        layers.append(layer | {"rows": rows, "weights": generator.normal(0, 0.6, (rows, cols)).tolist()})
    turned = np.linalg.qr(generator.normal(size=(INPUTS, INPUTS)))[0][:, :bases]
    pca = {
        "bases": turned.tolist(),
        "cols": bases,
        "mean": generator.normal(0, 1e-2, INPUTS).tolist(),
        "numpoints": 100,
        "rows": INPUTS,
        "values": sorted(generator.uniform(1, 26, bases).tolist(), reverse=True),
    }
    if old:
        pca = {key: value for key, value in pca.items() if key not in OLD}
    standardizer = {"cols": INPUTS, "mean": mean.tolist(), "std": std.tolist()}
    model = {"labels": {"labels": list(labels), "rows": len(labels)}, "mlp": {"layers": layers}}
    return {"standardizer": standardizer, "pca": pca, "model": model}


def put(folder, parts, name="{}.JSON"):
    """Write them as FluCoMa does, with keys in order and two spaces."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, content in parts.items():
        (folder / name.format(part)).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    return folder


def taken(folder):
    """The files of a folder, by the lower-case name of the part."""
    return {path.stem.lower(): json.loads(path.read_text()) for path in folder.iterdir()}


ACTIVATIONS = {
    0: lambda z: z,
    1: lambda z: 1 / (1 + math.exp(-z)),
    2: lambda z: z if z > 0 else 0.0,
    3: math.tanh,
}


def forward(parts, x):
    """The outputs of one sound, number by number."""
    standardizer, pca, layers = parts["standardizer"], parts["pca"], parts["model"]["mlp"]["layers"]
    scaled = [(float(v) - m) / s for v, m, s in zip(x, standardizer["mean"], standardizer["std"], strict=True)]
    values = [
        sum((scaled[i] - pca["mean"][i]) * pca["bases"][i][component] for i in range(len(scaled)))
        for component in range(len(layers[0]["weights"]))
    ]
    for layer in layers:
        act, weights, biases = ACTIVATIONS[layer["activation"]], layer["weights"], layer["biases"]
        values = [
            act(sum(value * row[o] for value, row in zip(values, weights, strict=True)) + biases[o])
            for o in range(len(biases))
        ]
    return values


def label(parts, x):
    """The label of one sound, as FluCoMa takes it: of the greatest output above 0, the first of equals; else the first."""
    most, place = 0, 0
    for output, value in enumerate(forward(parts, x)):
        if value > most:
            most, place = value, output
    return parts["model"]["labels"]["labels"][place].lower()
