"""Names of the API's descriptors by what they hold, as its description has them; its spaces and categories."""

FLOATS = """
    amplitude_peak_ratio beat_loudness boominess bpm_confidence brightness decay_strength depth dissonance
    duration_effective dynamic_range hardness hpcp_crest hpcp_entropy inharmonicity log_attack_time loudness
    note_confidence bpm pitch pitch_max pitch_min pitch_confidence pitch_salience pitch_var roughness sharpness
    silence_rate spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness
    spectral_rolloff spectral_skewness spectral_spread start_time temporal_centroid temporal_centroid_ratio
    temporal_decrease temporal_skewness temporal_spread tonality_confidence warmth zero_crossing_rate
""".split()
INTEGERS = "beat_count note_midi onset_count birdnet_detections_count fsdsinet_detections_count".split()
BOOLEANS = "loopable reverbness single_event has_audio_problems".split()
STRINGS = "note_name tonality".split()
LENGTHS = {"mfcc": 13, "mfcc_var": 13, "hpcp": 36, "hpcp_var": 36, "tristimulus": 3, "beat_times": 2, "onset_times": 2}
CLASSES = "birdnet_detected_class fsdsinet_detected_class".split()
DETECTIONS = "birdnet_detections fsdsinet_detections".split()

SCALAR = {*FLOATS, *INTEGERS, *BOOLEANS, *STRINGS}

SPACES = {"laion_clap": 512, "freesound_classic": 100}

CATEGORIES = {
    "is-p": ("Instrument samples", "Percussion"),
    "is-s": ("Instrument samples", "String"),
    "is-e": ("Instrument samples", "Synth / Electronic"),
    "m-sp": ("Music", "Solo percussion"),
    "fx-o": ("Sound effects", "Objects / House appliances"),
    "fx-el": ("Sound effects", "Electronic / Design"),
    "sp-p": ("Speech", "Processed / Synthetic"),
    "ss-s": ("Soundscapes", "Synthetic / Artificial"),
}
PREFERENCES = ["no-additional-preferences", "open-source-models", "noncommercial-open-source-models", "no-gen-ai"]
