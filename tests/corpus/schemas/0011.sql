CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE agents (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	about TEXT NOT NULL, 
	spaces JSON NOT NULL, 
	classifier VARCHAR(32) NOT NULL, 
	created VARCHAR(32) NOT NULL, deleted VARCHAR(32), in_use INTEGER, 
	CONSTRAINT pk_agents PRIMARY KEY (id), 
	CONSTRAINT uq_agents_name UNIQUE (name)
);
CREATE TABLE provenances (
	id INTEGER NOT NULL, 
	facts TEXT NOT NULL, 
	CONSTRAINT pk_provenances PRIMARY KEY (id), 
	CONSTRAINT uq_provenances_facts UNIQUE (facts)
);
CREATE TABLE sounds (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	username TEXT, 
	licence TEXT NOT NULL, 
	licence_version VARCHAR(16) NOT NULL, 
	licence_url TEXT NOT NULL, 
	url TEXT, 
	description TEXT, 
	pack TEXT, 
	duration FLOAT, 
	record JSON, 
	added VARCHAR(32) NOT NULL, 
	gone VARCHAR(32), checked VARCHAR(32), 
	CONSTRAINT pk_sounds PRIMARY KEY (id)
);
CREATE TABLE spaces (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	dim INTEGER NOT NULL, 
	origin VARCHAR(16) NOT NULL, 
	current BOOLEAN NOT NULL, changes BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_spaces PRIMARY KEY (id), 
	CONSTRAINT uq_spaces_name UNIQUE (name, fingerprint)
);
CREATE TABLE files (
	id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	linked BOOLEAN NOT NULL, 
	preferred BOOLEAN NOT NULL, 
	source VARCHAR(32) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	bytes BIGINT NOT NULL, 
	format VARCHAR(16) NOT NULL, 
	samplerate INTEGER NOT NULL, 
	channels INTEGER NOT NULL, 
	frames BIGINT NOT NULL, 
	loudness FLOAT, 
	peak FLOAT, 
	added VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_files PRIMARY KEY (id), 
	CONSTRAINT fk_files_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id), 
	CONSTRAINT uq_files_path UNIQUE (path)
);
CREATE TABLE models (
	id INTEGER NOT NULL, 
	agent_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	recipe JSON NOT NULL, 
	arrays JSON NOT NULL, 
	scores JSON NOT NULL, 
	labels_hash VARCHAR(64) NOT NULL, 
	seed INTEGER NOT NULL, 
	versions JSON NOT NULL, 
	fingerprints JSON NOT NULL, 
	at VARCHAR(32) NOT NULL, until INTEGER, verdicts JSON DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT fk_models_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id), 
	CONSTRAINT uq_models_agent_id UNIQUE (agent_id, version)
);
CREATE TABLE tags (
	sound_id INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (sound_id, tag), 
	CONSTRAINT fk_tags_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id)
);
CREATE TABLE vectors (
	space_id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	file_id INTEGER, 
	provenance_id INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_vectors PRIMARY KEY (space_id, sound_id), 
	CONSTRAINT fk_vectors_file_id FOREIGN KEY(file_id) REFERENCES files (id), 
	CONSTRAINT fk_vectors_provenance_id FOREIGN KEY(provenance_id) REFERENCES provenances (id), 
	CONSTRAINT fk_vectors_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id), 
	CONSTRAINT fk_vectors_space_id FOREIGN KEY(space_id) REFERENCES spaces (id)
)
 WITHOUT ROWID

;
CREATE VIRTUAL TABLE sound_text USING fts5(name, tags, description, username, tokenize = 'porter unicode61');
CREATE TABLE requests (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_requests PRIMARY KEY (id)
);
CREATE TABLE harvests (
	id INTEGER NOT NULL, 
	wanted JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	cursor JSON NOT NULL, 
	started VARCHAR(32) NOT NULL, 
	changed VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_harvests PRIMARY KEY (id)
);
CREATE TABLE harvested (
	harvest_id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	address TEXT, 
	audio VARCHAR(16) NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_harvested PRIMARY KEY (harvest_id, sound_id), 
	CONSTRAINT fk_harvested_harvest_id FOREIGN KEY(harvest_id) REFERENCES harvests (id), 
	CONSTRAINT fk_harvested_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id)
);
CREATE TABLE similar_lists (
	sound_id INTEGER NOT NULL, 
	ids JSON NOT NULL, 
	asked INTEGER NOT NULL, 
	fetched VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_similar_lists PRIMARY KEY (sound_id)
);
CREATE TABLE traits (
	sound_id INTEGER NOT NULL, 
	origin VARCHAR(16) NOT NULL, 
	amplitude_peak_ratio FLOAT, 
	beat_count BIGINT, 
	beat_loudness FLOAT, 
	birdnet_detections_count BIGINT, 
	boominess FLOAT, 
	bpm FLOAT, 
	bpm_confidence FLOAT, 
	brightness FLOAT, 
	category TEXT, 
	decay_strength FLOAT, 
	depth FLOAT, 
	dissonance FLOAT, 
	duration_effective FLOAT, 
	dynamic_range FLOAT, 
	fsdsinet_detections_count BIGINT, 
	hardness FLOAT, 
	has_audio_problems BOOLEAN, 
	hpcp_crest FLOAT, 
	hpcp_entropy FLOAT, 
	inharmonicity FLOAT, 
	log_attack_time FLOAT, 
	loopable BOOLEAN, 
	loudness FLOAT, 
	note_confidence FLOAT, 
	note_midi BIGINT, 
	note_name TEXT, 
	onset_count BIGINT, 
	pitch FLOAT, 
	pitch_confidence FLOAT, 
	pitch_max FLOAT, 
	pitch_min FLOAT, 
	pitch_salience FLOAT, 
	pitch_var FLOAT, 
	reverbness BOOLEAN, 
	roughness FLOAT, 
	sharpness FLOAT, 
	silence_rate FLOAT, 
	single_event BOOLEAN, 
	spectral_centroid FLOAT, 
	spectral_complexity FLOAT, 
	spectral_crest FLOAT, 
	spectral_energy FLOAT, 
	spectral_entropy FLOAT, 
	spectral_flatness FLOAT, 
	spectral_rolloff FLOAT, 
	spectral_skewness FLOAT, 
	spectral_spread FLOAT, 
	start_time FLOAT, 
	subcategory TEXT, 
	temporal_centroid FLOAT, 
	temporal_centroid_ratio FLOAT, 
	temporal_decrease FLOAT, 
	temporal_skewness FLOAT, 
	temporal_spread FLOAT, 
	tonality TEXT, 
	tonality_confidence FLOAT, 
	warmth FLOAT, 
	zero_crossing_rate FLOAT, 
	file_id INTEGER, 
	fingerprint VARCHAR(64), 
	CONSTRAINT pk_traits PRIMARY KEY (sound_id, origin), 
	CONSTRAINT fk_traits_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id), 
	CONSTRAINT fk_traits_file_id FOREIGN KEY(file_id) REFERENCES files (id)
)
 WITHOUT ROWID

;
CREATE TABLE served (
	sound_id INTEGER NOT NULL, 
	created VARCHAR(32), 
	type TEXT, 
	channels BIGINT, 
	samplerate FLOAT, 
	filesize BIGINT, 
	num_downloads BIGINT, 
	num_ratings BIGINT, 
	avg_rating FLOAT, 
	gen_ai_preference TEXT, 
	is_explicit BOOLEAN, 
	md5 TEXT, 
	CONSTRAINT pk_served PRIMARY KEY (sound_id), 
	CONSTRAINT fk_served_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id)
);
CREATE TABLE returned (
	id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_returned PRIMARY KEY (id), 
	CONSTRAINT fk_returned_sound_id_sounds FOREIGN KEY(sound_id) REFERENCES sounds (id)
);
CREATE TABLE additions (
	id INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	"before" BIGINT NOT NULL, 
	"after" BIGINT NOT NULL, 
	ids BLOB NOT NULL, 
	CONSTRAINT pk_additions PRIMARY KEY (id), 
	CONSTRAINT fk_additions_space_id FOREIGN KEY(space_id) REFERENCES spaces (id)
);
CREATE TABLE trials (
	id INTEGER NOT NULL, 
	agent_id INTEGER NOT NULL, 
	"plan" JSON NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_trials PRIMARY KEY (id), 
	CONSTRAINT fk_trials_agent_id_agents FOREIGN KEY(agent_id) REFERENCES agents (id)
);
CREATE TABLE trial_answers (
	trial_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	part VARCHAR(8) NOT NULL, 
	label VARCHAR(8) NOT NULL, 
	who TEXT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_trial_answers PRIMARY KEY (trial_id, number, part), 
	CONSTRAINT fk_trial_answers_trial_id_trials FOREIGN KEY(trial_id) REFERENCES trials (id)
);
CREATE TABLE texts (
	id INTEGER NOT NULL, 
	changes BIGINT NOT NULL, 
	CONSTRAINT pk_texts PRIMARY KEY (id)
);
CREATE TABLE "annotations" (
	id INTEGER NOT NULL, 
	agent_id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	label VARCHAR(8), 
	test BOOLEAN NOT NULL, 
	who TEXT NOT NULL, 
	session VARCHAR(64) NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	undoes INTEGER, 
	repeats INTEGER, 
	CONSTRAINT pk_annotations PRIMARY KEY (id), 
	CONSTRAINT fk_annotations_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id)
);
CREATE TABLE forgotten (
	sha256 VARCHAR(64) NOT NULL, 
	former_id INTEGER NOT NULL, 
	CONSTRAINT pk_forgotten PRIMARY KEY (sha256)
);
CREATE TABLE performances (
	id INTEGER NOT NULL, 
	begun VARCHAR(32) NOT NULL, 
	ended VARCHAR(32), 
	seed BIGINT, 
	title TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_performances PRIMARY KEY (id)
);
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	performance_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	of_group TEXT, 
	verb TEXT NOT NULL, 
	arguments JSON NOT NULL, 
	answer JSON, 
	error TEXT, 
	CONSTRAINT pk_commands PRIMARY KEY (id), 
	CONSTRAINT fk_commands_performance_id FOREIGN KEY(performance_id) REFERENCES performances (id)
);
CREATE TABLE plays (
	id INTEGER NOT NULL, 
	performance_id INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	of_group TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	began VARCHAR(32) NOT NULL, 
	seconds FLOAT, 
	credit JSON NOT NULL, 
	CONSTRAINT pk_plays PRIMARY KEY (id), 
	CONSTRAINT fk_plays_performance_id FOREIGN KEY(performance_id) REFERENCES performances (id)
);
CREATE TABLE palettes (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	published VARCHAR(32) NOT NULL, 
	removed VARCHAR(32), 
	CONSTRAINT pk_palettes PRIMARY KEY (id), 
	CONSTRAINT uq_palettes_name UNIQUE (name)
);
CREATE TABLE palette_sounds (
	palette_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	sound_id INTEGER NOT NULL, 
	file TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	credit JSON NOT NULL, 
	CONSTRAINT pk_palette_sounds PRIMARY KEY (palette_id, position), 
	CONSTRAINT fk_palette_sounds_palette_id FOREIGN KEY(palette_id) REFERENCES palettes (id)
);
CREATE TABLE onsets (
	sound_id INTEGER NOT NULL, 
	file_id INTEGER NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_onsets PRIMARY KEY (sound_id), 
	CONSTRAINT fk_onsets_sound_id FOREIGN KEY(sound_id) REFERENCES sounds (id), 
	CONSTRAINT fk_onsets_file_id FOREIGN KEY(file_id) REFERENCES files (id)
);
insert into alembic_version (version_num) values ('0011');
insert into agents (id, name, about, spaces, classifier, created, deleted, in_use) values (1, 'water', 'drips', '["mfcc"]', 'mlp', '2026-01-02T03:04:05Z', NULL, 1);
insert into agents (id, name, about, spaces, classifier, created, deleted, in_use) values (2, 'metal', '', '["mfcc"]', 'svm', '2026-01-02T03:04:05Z', NULL, NULL);
insert into provenances (id, facts) values (1, '{"library": "essentia 2.1b6"}');
insert into sounds (id, name, username, licence, licence_version, licence_url, url, description, pack, duration, record, added, gone, checked) values (4832, 'Wasser', 'dio_333', 'Attribution', '4.0', 'https://creativecommons.org/licenses/by/4.0/', 'https://freesound.org/s/4832/', 'drops of water', 'Rain', 2.5, '{"id": 4832, "name": "Wasser", "duration": 2.5, "pitch": 440.5, "loopable": true, "note_midi": 69, "created": "2005-03-04T05:06:07", "type": "wav", "num_downloads": 12, "avg_rating": 4.5, "num_ratings": 4}', '2026-01-02T03:04:05Z', NULL, '2026-01-02T03:04:05Z');
insert into sounds (id, name, username, licence, licence_version, licence_url, url, description, pack, duration, record, added, gone, checked) values (31362, 'gone one', 'menegass', 'Attribution', '4.0', 'https://creativecommons.org/licenses/by/4.0/', 'https://freesound.org/s/31362/', 'drops of water', 'Rain', 2.5, '{"id": 31362}', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z');
insert into sounds (id, name, username, licence, licence_version, licence_url, url, description, pack, duration, record, added, gone, checked) values (1000000000, 'gutterä', NULL, 'Attribution', '4.0', 'https://creativecommons.org/licenses/by/4.0/', NULL, 'drops of water', 'Rain', 2.5, NULL, '2026-01-02T03:04:05Z', NULL, NULL);
insert into spaces (id, name, fingerprint, dim, origin, current, changes) values (1, 'mfcc', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 26, 'computed', 0, 458467506428149035);
insert into spaces (id, name, fingerprint, dim, origin, current, changes) values (2, 'mfcc', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 26, 'computed', 1, 5563316805174491035);
insert into spaces (id, name, fingerprint, dim, origin, current, changes) values (3, 'api_mfcc', 'freesound: mfcc, mfcc_var', 26, 'api', 1, -4943803634574614446);
insert into files (id, sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate, channels, frames, loudness, peak, added) values (1, 4832, 'sounds/4/4832__dio_333__Wasser.ogg', 0, 1, 'lq-ogg', '0000000000000000000000000000000000000000000000000000000000000001', 1001, 'ogg', 44100, 2, 110250, -20.5, 0.5, '2026-01-02T03:04:05Z');
insert into files (id, sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate, channels, frames, loudness, peak, added) values (2, 1000000000, '/recordings/gutter.ogg', 1, 1, 'original', '0000000000000000000000000000000000000000000000000000000000000002', 1002, 'ogg', 44100, 2, 110250, NULL, NULL, '2026-01-02T03:04:05Z');
insert into models (id, agent_id, version, recipe, arrays, scores, labels_hash, seed, versions, fingerprints, at, until, verdicts) values (1, 1, 1, '{"classifier": "mlp"}', '{"W": [[0.5, -1.25]]}', '{"accuracy": 0.75}', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 7, '{"numpy": "2.0"}', '{"mfcc": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}', '2026-01-02T03:04:05Z', 3, '{"4832": 0.75}');
insert into tags (sound_id, tag, position) values (4832, 'water', 0);
insert into tags (sound_id, tag, position) values (4832, 'field-recording', 1);
insert into vectors (space_id, sound_id, file_id, provenance_id, data) values (1, 4832, 1, 1, X'0000803F0000A03F0000C03F0000E03F0000004000001040000020400000304000004040000050400000604000007040000080400000884000009040000098400000A0400000A8400000B0400000B8400000C0400000C8400000D0400000D8400000E0400000E840');
insert into vectors (space_id, sound_id, file_id, provenance_id, data) values (2, 1000000000, 2, 1, X'0000004000001040000020400000304000004040000050400000604000007040000080400000884000009040000098400000A0400000A8400000B0400000B8400000C0400000C8400000D0400000D8400000E0400000E8400000F0400000F8400000004100000441');
insert into vectors (space_id, sound_id, file_id, provenance_id, data) values (3, 4832, NULL, 1, X'00004040000050400000604000007040000080400000884000009040000098400000A0400000A8400000B0400000B8400000C0400000C8400000D0400000D8400000E0400000E8400000F0400000F84000000041000004410000084100000C410000104100001441');
insert into sound_text (rowid, name, tags, description, username) values (4832, 'Wasser', 'water field-recording', 'drops', 'dio_333');
insert into sound_text (rowid, name, tags, description, username) values (1000000000, 'gutterä', '', 'drops of water', NULL);
insert into requests (id, at) values (1, 1767323045.5);
insert into harvests (id, wanted, state, cursor, started, changed) values (1, '{"queries": []}', 'done', '{}', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z');
insert into harvested (harvest_id, sound_id, position, address, audio, error) values (1, 4832, 0, 'https://cdn/4832.ogg', 'done', NULL);
insert into harvested (harvest_id, sound_id, position, address, audio, error) values (1, 31362, 1, NULL, 'failed', 'cut');
insert into similar_lists (sound_id, ids, asked, fetched) values (4832, '[31362, 5]', 20, '2026-01-02T03:04:05Z');
insert into traits (sound_id, origin, amplitude_peak_ratio, beat_count, beat_loudness, birdnet_detections_count, boominess, bpm, bpm_confidence, brightness, category, decay_strength, depth, dissonance, duration_effective, dynamic_range, fsdsinet_detections_count, hardness, has_audio_problems, hpcp_crest, hpcp_entropy, inharmonicity, log_attack_time, loopable, loudness, note_confidence, note_midi, note_name, onset_count, pitch, pitch_confidence, pitch_max, pitch_min, pitch_salience, pitch_var, reverbness, roughness, sharpness, silence_rate, single_event, spectral_centroid, spectral_complexity, spectral_crest, spectral_energy, spectral_entropy, spectral_flatness, spectral_rolloff, spectral_skewness, spectral_spread, start_time, subcategory, temporal_centroid, temporal_centroid_ratio, temporal_decrease, temporal_skewness, temporal_spread, tonality, tonality_confidence, warmth, zero_crossing_rate, file_id, fingerprint) values (4832, 'api', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, 440.5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
insert into traits (sound_id, origin, amplitude_peak_ratio, beat_count, beat_loudness, birdnet_detections_count, boominess, bpm, bpm_confidence, brightness, category, decay_strength, depth, dissonance, duration_effective, dynamic_range, fsdsinet_detections_count, hardness, has_audio_problems, hpcp_crest, hpcp_entropy, inharmonicity, log_attack_time, loopable, loudness, note_confidence, note_midi, note_name, onset_count, pitch, pitch_confidence, pitch_max, pitch_min, pitch_salience, pitch_var, reverbness, roughness, sharpness, silence_rate, single_event, spectral_centroid, spectral_complexity, spectral_crest, spectral_energy, spectral_entropy, spectral_flatness, spectral_rolloff, spectral_skewness, spectral_spread, start_time, subcategory, temporal_centroid, temporal_centroid_ratio, temporal_decrease, temporal_skewness, temporal_spread, tonality, tonality_confidence, warmth, zero_crossing_rate, file_id, fingerprint) values (1000000000, 'computed', NULL, NULL, NULL, NULL, NULL, 120.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd');
insert into served (sound_id, created, type, channels, samplerate, filesize, num_downloads, num_ratings, avg_rating, gen_ai_preference, is_explicit, md5) values (4832, '2005-03-04T05:06:07Z', 'wav', NULL, NULL, NULL, 12, NULL, NULL, NULL, NULL, NULL);
insert into returned (id, sound_id, at) values (1, 4832, '2026-01-02T03:04:05Z');
insert into additions (id, space_id, before, after, ids) values (1, 3, 1, 2, X'E012000000000000');
insert into trials (id, agent_id, plan, at) values (1, 1, '{"pairs": []}', '2026-01-02T03:04:05Z');
insert into trial_answers (trial_id, number, part, label, who, at) values (1, 1, 'target', 'good', 'anna', '2026-01-02T03:04:05Z');
insert into texts (id, changes) values (1, 6173592124186060354);
insert into annotations (id, agent_id, sound_id, label, test, who, session, at, undoes, repeats) values (1, 1, 4832, 'good', 0, 'anna', 's', '2026-01-02T03:04:05Z', NULL, NULL);
insert into annotations (id, agent_id, sound_id, label, test, who, session, at, undoes, repeats) values (2, 1, 1000000000, 'bad', 1, 'ben', 's', '2026-01-02T03:04:05Z', NULL, NULL);
insert into annotations (id, agent_id, sound_id, label, test, who, session, at, undoes, repeats) values (3, 1, 1000000000, NULL, 0, 'anna', 's', '2026-01-02T03:04:05Z', 2, NULL);
insert into annotations (id, agent_id, sound_id, label, test, who, session, at, undoes, repeats) values (4, 2, 31362, 'good', 0, 'anna', 's', '2026-01-02T03:04:05Z', NULL, NULL);
insert into forgotten (sha256, former_id) values ('ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1000000007);
insert into performances (id, begun, ended, seed, title) values (1, '2026-01-02T03:04:05Z', NULL, 3, 'cellar');
insert into commands (id, performance_id, at, of_group, verb, arguments, answer, error) values (1, 1, 1.5, 'a', 'tag', '{}', '[4832]', NULL);
insert into plays (id, performance_id, sound_id, of_group, at, began, seconds, credit) values (1, 1, 99, 'a', 1.5, '2026-01-02T03:04:05Z', NULL, '{"id": 99, "name": "a drip", "username": "alba", "url": null, "licence": "Creative Commons 0", "licence_url": null, "line": "a drip by alba licensed under Creative Commons 0"}');
insert into palettes (id, name, version, published, removed) values (1, 'drips', 1, '2026-01-02T03:04:05Z', NULL);
insert into palette_sounds (palette_id, position, sound_id, file, sha256, credit) values (1, 0, 4832, '000.wav', 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', '{"id": 4832, "name": "a drip", "username": "alba", "url": null, "licence": "Creative Commons 0", "licence_url": null, "line": "a drip by alba licensed under Creative Commons 0"}');
insert into onsets (sound_id, file_id, fingerprint, data) values (4832, 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', X'000000000000803E0000003F0000403F');
CREATE INDEX ix_files_sha256 ON files (sha256);
CREATE INDEX ix_files_sound_id ON files (sound_id);
CREATE INDEX ix_tags_tag ON tags (tag, sound_id);
CREATE INDEX ix_requests_at ON requests (at);
CREATE INDEX ix_vectors_sound_id ON vectors (sound_id);
CREATE INDEX ix_harvested_sound_id ON harvested (sound_id);
CREATE INDEX ix_sounds_filtered ON sounds (duration, licence, username, pack, added);
CREATE INDEX ix_returned_sound_id ON returned (sound_id);
CREATE INDEX ix_returned_at ON returned (at);
CREATE TRIGGER vectors_added after insert on vectors begin update spaces set changes = random() where id = new.space_id; end;
CREATE TRIGGER vectors_removed after delete on vectors begin update spaces set changes = random() where id = old.space_id; end;
CREATE TRIGGER vectors_changed after update on vectors begin update spaces set changes = random() where id = old.space_id; update spaces set changes = random() where id = new.space_id; end;
CREATE TRIGGER texts_insert after insert on sound_text_docsize begin update texts set changes = random(); end;
CREATE TRIGGER texts_delete after delete on sound_text_docsize begin update texts set changes = random(); end;
CREATE TRIGGER texts_update after update on sound_text_docsize begin update texts set changes = random(); end;
CREATE INDEX ix_annotations_sound_id ON annotations (sound_id);
CREATE INDEX ix_annotations_agent ON annotations (agent_id, sound_id, id);
CREATE INDEX ix_performances_begun ON performances (begun);
CREATE INDEX ix_commands_performance_id ON commands (performance_id);
CREATE INDEX ix_plays_performance_id ON plays (performance_id);
CREATE INDEX ix_plays_sound_id ON plays (sound_id);
CREATE INDEX ix_plays_began ON plays (began);
