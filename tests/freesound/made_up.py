"""What is made up about a sound, the same each time: facts that no file tells, and what people write in the fields.

A few sounds are there to try clients: names that a shell, a terminal, a page or a file system could take for something
else, old forms of dates, licences of all kinds and one that is nobody's, missing values.
"""

from datetime import UTC, datetime, timedelta
from random import Random

from tests.freesound.fields import BOOLEANS, CATEGORIES, CLASSES, DETECTIONS, FLOATS, INTEGERS, LENGTHS, PREFERENCES

NAMES = {
    3: "$(touch pwned) `id` kick.wav",
    8: "a/b\\c “quoted” \"double\" 'single'.wav",
    13: "🥁 snare 💥 ñandú 日本語.wav",
    18: "../../../etc/passwd",
    23: "<script>alert('x')</script> & more",
    28: "'; DROP TABLE sounds; --",
    33: "two\nlines\tand a tab",
    38: "\u202ereversed\u202c, e\u0301 combined, zero\u200bwidth",
    43: "long " + "x" * 495,
    48: "-rf --help %s %n {0} ${HOME}",
    53: ".",
    58: "red \x1b[31malarm\x1b[0m.wav",
}
DESCRIPTIONS = {
    5: "He said \"no\", she said 'yes'.\r\n\r\nSecond paragraph; $(reboot) and `ls`.",
    10: "Größe, naïve café — 東京で録音 🎧 🎛️",
    15: '<a href="https://example.org/?a=1&b=2" rel="nofollow">my page</a><br>free for all',
    20: "",
    25: "A long story. " * 300,
    30: "null",
}
_CC = "://creativecommons.org"
LICENCES = {
    4: f"https{_CC}/licenses/by/4.0/",
    9: f"http{_CC}/licenses/by/3.0/",
    14: f"https{_CC}/licenses/by-nc/4.0/",
    19: f"http{_CC}/licenses/by-nc/3.0/",
    24: f"http{_CC}/licenses/sampling+/1.0/",
    29: "https://example.org/licences/peculiar/2.0/",
    64: f"https{_CC}/licenses/by/4.0/",
    69: f"https{_CC}/licenses/by-nc/4.0/",
}
ZERO = f"http{_CC}/publicdomain/zero/1.0/"

WITHOUT_CLAP = 35
"""The sound that has no vector in `laion_clap`."""
NOT_ANALYSED = 45
"""The sound that has neither vectors nor descriptors."""
BATCH = range(70, 82)
"""Sounds uploaded within the same second."""

_FIRST, _LAST = datetime(2005, 4, 5, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
_RANGES = {"bpm": (60, 180), "pitch": (40, 2000), "loudness": (-45, -5), "spectral_centroid": (100, 9000)}
_SPOKEN = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]


def created(number, sounds):
    """When sound `number` of `sounds` was uploaded: later ones later, some in the old form without a zone."""
    number = BATCH[0] if number in BATCH else number
    when = _FIRST + timedelta(seconds=int((_LAST - _FIRST).total_seconds() * number / max(sounds, 1)))
    text = when.strftime("%Y-%m-%dT%H:%M:%S")
    return text if number % 40 == 7 else f"{text}Z"


def facts(number, sound_id):
    """Fields of the sound resource that nobody can measure."""
    random = Random(f"facts {sound_id}")
    code = random.choice([*CATEGORIES, *CATEGORIES, None])
    place = f"{random.uniform(-60, 60):.4f} {random.uniform(-180, 180):.4f}" if random.random() < 0.2 else None
    ratings = random.choice([0, 0, 1, 2, 3, 8, 40])
    category, subcategory = CATEGORIES.get(code, (None, None))
    return {
        "category": category,
        "subcategory": subcategory,
        "category_code": code,
        "category_is_user_provided": bool(code) and random.random() < 0.3,
        "geotag": place,
        "is_geotagged": place is not None,
        "license": LICENCES.get(number, ZERO),
        "gen_ai_preference": PREFERENCES[number % 4],
        "num_downloads": random.randrange(20000),
        "avg_rating": round(random.uniform(1, 5), 3) if ratings else 0.0,
        "num_ratings": ratings,
        "is_explicit": number == 60,
        "is_remix": number == 61,
        "was_remixed": number == 62,
    }


def descriptors(sound_id):
    """A value for each descriptor; what was measured takes the place of some."""
    random = Random(f"descriptors {sound_id}")
    made = {name: round(random.uniform(*_RANGES.get(name, (0, 1))), 3) for name in FLOATS}
    made |= {name: random.randrange(60) for name in INTEGERS}
    made |= {name: random.random() < 0.3 for name in BOOLEANS}
    made |= {name: [round(random.random(), 3) for _ in range(length)] for name, length in LENGTHS.items()}
    made |= dict.fromkeys([*CLASSES, *DETECTIONS])
    made["note_name"] = f"{random.choice(_SPOKEN)}{random.randrange(1, 7)}" if random.random() < 0.5 else None
    made["tonality"] = f"{random.choice(_SPOKEN)} {random.choice(['major', 'minor'])}"
    if random.random() < 0.2:
        made["fsdsinet_detected_class"] = ["Percussion", "Snare_drum"]
        made["fsdsinet_detections"] = [{"name": "Snare_drum", "start_time": 0.0, "end_time": 0.5, "confidence": 0.81}]
    return made
