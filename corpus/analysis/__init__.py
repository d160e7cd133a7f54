"""From an audio file to numbers: decoding, MFCCs, levels, and the workers that do it."""
