"""Names of the API's fields and descriptors, in the order in which they are written."""

from __future__ import annotations

from corpus.descriptors import SCALARS

METADATA = """
    id url name tags description category subcategory category_code category_is_user_provided geotag is_geotagged
    created license gen_ai_preference type channels filesize bitrate bitdepth duration samplerate username pack
    pack_name download bookmark previews images num_downloads avg_rating num_ratings rate comments num_comments comment
    similar_sounds is_explicit is_remix was_remixed md5
""".split()
LISTS = (
    "mfcc mfcc_var hpcp hpcp_var tristimulus beat_times onset_times "
    "birdnet_detected_class fsdsinet_detected_class birdnet_detections fsdsinet_detections"
).split()
DESCRIPTORS = sorted([*(name for name in SCALARS if name not in METADATA), *LISTS])
SERVED_SPACES = {"laion_clap": 512, "freesound_classic": 100}
"""The API's own spaces, each with its dimension."""
VECTORS = [f"sim_{space}" for space in SERVED_SPACES]

DEFAULT_OF_LISTS = "id,name,tags,username,license"
_GROUPS = {
    "*": [*METADATA, *DESCRIPTORS, *VECTORS],
    "all_descriptors": DESCRIPTORS,
    "all_similarity_spaces": VECTORS,
}
_PLACES = {name: place for place, name in enumerate([*METADATA, *DESCRIPTORS, *VECTORS])}


def chosen(text: str) -> tuple[str, ...]:
    """The names of a `fields` parameter in the order in which they are written.

    Unknown ones are left out; `sim_` with any space, and `score`, come last.

    Examples
    --------
    >>> chosen("name, id,analysis,score")
    ('id', 'name', 'score')
    """
    asked: dict[str, None] = {}
    for name in map(str.strip, text.split(",")):
        asked |= dict.fromkeys(_GROUPS.get(name, [name]))
    known = sorted((name for name in asked if name in _PLACES), key=_PLACES.__getitem__)
    further = [name for name in asked if name.startswith("sim_") and name not in _PLACES]
    return (*known, *further, *(name for name in asked if name == "score"))
