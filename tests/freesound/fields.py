"""Names of the API's fields and descriptors, in the order in which the server writes them."""

METADATA = """
    id url name tags description category subcategory category_code category_is_user_provided geotag is_geotagged
    created license gen_ai_preference type channels filesize bitrate bitdepth duration samplerate username pack
    pack_name download bookmark previews images num_downloads avg_rating num_ratings rate comments num_comments comment
    similar_sounds is_explicit is_remix was_remixed md5
""".split()

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

NUMERIC = {*FLOATS, *INTEGERS}
SCALAR = {*NUMERIC, *BOOLEANS, *STRINGS}
DESCRIPTORS = sorted([*SCALAR, *LENGTHS, *CLASSES, *DETECTIONS])
FILTERABLE_DESCRIPTORS = {*SCALAR, *CLASSES}

SPACES = {"laion_clap": 512, "freesound_classic": 100}
VECTORS = [f"sim_{space}" for space in SPACES]

DEFAULT_OF_LISTS = "id,name,tags,username,license"
_ORDER = [*METADATA, *DESCRIPTORS, *VECTORS, "score"]
_GROUPS = {
    "*": [*METADATA, *DESCRIPTORS, *VECTORS],
    "all_descriptors": DESCRIPTORS,
    "all_similarity_spaces": VECTORS,
}

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


def chosen(text: str) -> list[str]:
    """The known names of a `fields` parameter in the server's order; KeyError for a space that does not exist."""
    asked: set[str] = set()
    for name in map(str.strip, text.split(",")):
        if name.startswith("sim_") and name not in VECTORS:
            raise KeyError(name)
        asked.update(_GROUPS.get(name, [name]))
    return [name for name in _ORDER if name in asked]
