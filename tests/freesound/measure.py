"""What Essentia measures in a sample: the descriptors that are cheap, as Freesound's extractor has them.

Means over all frames of 2048 samples, hop 1024, and for `mfcc_var` the population variance; 3 decimals, as served.
"""

import json

import numpy as np

RATE = 44100
_MFCC = {"numberBands": 40, "highFrequencyBound": 11000, "lowFrequencyBound": 0, "warpingFormula": "htkMel"}
_MFCC |= {"weighting": "warping", "normalize": "unit_sum", "type": "power", "logType": "dbamp", "dctType": 2}
_MFCC |= {"numberCoefficients": 13, "liftering": 0, "inputSize": 1025, "sampleRate": RATE, "silenceThreshold": 1e-10}
_OF_SPECTRUM = {"spectral_energy": ("Energy", {}), "spectral_rolloff": ("RollOff", {"sampleRate": RATE})}
_OF_POWER = {"spectral_centroid": ("Centroid", {"range": RATE / 2})}


def measure(path):
    """Descriptors of one file, by the API's name."""
    import essentia
    from essentia import streaming

    essentia.log.infoActive = essentia.log.warningActive = False
    loader = streaming.EasyLoader(filename=str(path), sampleRate=RATE, replayGain=-6)
    cutter = streaming.FrameCutter(frameSize=2048, hopSize=1024, startFromZero=False, silentFrames="noise")
    window = streaming.Windowing(type="blackmanharris62", normalized=True, zeroPhase=True, zeroPadding=0)
    spectrum, mfcc, pool = streaming.Spectrum(size=2048), streaming.MFCC(**_MFCC), essentia.Pool()
    crossings = streaming.ZeroCrossingRate()
    loader.audio >> cutter.signal
    cutter.frame >> window.frame
    window.frame >> spectrum.frame
    cutter.frame >> crossings.signal
    crossings.zeroCrossingRate >> (pool, "zero_crossing_rate")
    spectrum.spectrum >> mfcc.spectrum
    mfcc.bands >> None
    mfcc.mfcc >> (pool, "mfcc")
    power = streaming.UnaryOperator(type="square")
    spectrum.spectrum >> power.array
    for source, algorithms in ((spectrum.spectrum, _OF_SPECTRUM), (power.array, _OF_POWER)):
        for name, (algorithm, parameters) in algorithms.items():
            made = getattr(streaming, algorithm)(**parameters)
            source >> getattr(made, made.inputNames()[0])
            getattr(made, made.outputNames()[0]) >> (pool, name)
    essentia.run(loader)
    means = {name: np.mean(pool[name], axis=0, dtype=float) for name in pool.descriptorNames()}
    means["mfcc_var"] = np.var(pool["mfcc"], axis=0, dtype=float)
    return {name: np.round(value, 3).tolist() for name, value in means.items()}


def measured(paths, folder):
    """Descriptors of each file by its name, measured once and kept in `folder`."""
    kept = folder / "measured.json"
    if not kept.exists():
        kept.write_text(json.dumps({path.name: measure(path) for path in paths}))
    return json.loads(kept.read_text())
