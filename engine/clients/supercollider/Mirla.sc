// mirla, from SuperCollider: a group of sounds that `mirla serve --osc 57130` plays, and on the class side the session.
//
//	a = Mirla(\a);
//	a.tag("metal", 3);
//	a.similar(agent: "water", action: { |reply| reply.postln });
//	a.play(0.5).volume(0.3);
//	Mirla.subscribe({ |kind, group, id, text| [kind, group, id, text].postln });
//
// Verbs return at once. What goes wrong is posted; else an action is given what was answered, an Array. Verbs of as many
// values as one likes (id, near, effect…) take the action as their last one. Lists are Arrays, values by name Events.
// The verbs below are made from mirla's table of routes: do not edit them.

Mirla {
	classvar <>server, <>listener, actions, last = 0, renewal;
	var <group;

	*new { |group| ^super.newCopyArgs(group.asSymbol) }

	*initClass {
		server = NetAddr("127.0.0.1", 57130);
		actions = IdentityDictionary.new;
	}

	free { this.clear }

	printOn { |stream| stream << "Mirla(" <<< group << ")" }

	*subscribe { |action|
		listener = action;
		renewal.stop;
		this.prListen;
		server.sendMsg('/mirla/subscribe');
		renewal = SkipJack({ server.sendMsg('/mirla/subscribe') }, 20, name: "mirla"); // it lasts for a minute
	}

	*unsubscribe {
		renewal.stop;
		listener = nil;
		server.sendMsg('/mirla/unsubscribe');
	}

	*cancel { |number| this.prSend(\cancel, [number], ()) }

	// private: how verbs are said, and what comes back

	prSay { |verb, values| Mirla.prSayTo(this.prAddress(verb), values) }
	*prSay { |verb, values| this.prSayTo(this.prAddress(verb), values) }
	prSend { |verb, given, named, action| Mirla.prSendTo(this.prAddress(verb), given, named, action) }
	*prSend { |verb, given, named, action| this.prSendTo(this.prAddress(verb), given, named, action) }
	prAddress { |verb| ^"/mirla/%/%".format(group, verb) }
	*prAddress { |verb| ^"/mirla/%".format(verb) }

	*prSayTo { |address, values|
		var action = if(values.last.isFunction) { values.last };
		this.prSendTo(address, if(action.notNil) { values.drop(-1) } { values }, (), action);
	}

	*prSendTo { |address, given, named, action|
		var message = this.prFlat(given.reject(_.isNil) ++ named.getPairs);
		this.prListen;
		if(action.notNil) {
			last = last + 1;
			actions[last] = action;
			message = message ++ ["#" ++ last];
		};
		server.sendMsg(address, *message);
	}

	*prFlat { |values|
		^values.inject([], { |all, one|
			if(one.isKindOf(Dictionary)) { one = one.getPairs };
			all ++ if(one.isArray and: { one.isString.not }) { [$[] ++ this.prFlat(one) ++ [$]] } { [one] }
		})
	}

	*prListen {
		OSCdef(\mirlaReply, { |message| this.prReplied(*message.drop(1)) }, '/mirla/reply').permanent_(true);
		OSCdef(\mirlaEvent, { |message| listener.value(*message.drop(1)) }, '/mirla/event').permanent_(true);
	}

	*prReplied { |address, id, ok ... values|
		var action = actions.removeAt(id.asString.drop(1).asInteger);
		if(ok == 1) { action.value(values) } { "mirla: %: %".format(address, values[0]).postln };
	}

	// verbs begin
	agent { |... values| this.prSay(\agent, values) }
	autochopped { |times, tempo, action| this.prSend(\autochopped, [], (times: times, tempo: tempo), action) }
	bandpf { |... values| this.prSay(\bandpf, values) }
	bitcrush { |... values| this.prSay(\bitcrush, values) }
	bpm { |value, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\bpm, [], (value: value, size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	bypass { |name, action| this.prSend(\bypass, [], (name: name), action) }
	chorus { |... values| this.prSay(\chorus, values) }
	clear { |action| this.prSend(\clear, [], (), action) }
	compress { |... values| this.prSay(\compress, values) }
	content { |feature, size, value, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\content, [], (feature: feature, size: size, value: value, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	credits { |action| this.prSend(\credits, [], (), action) }
	delay { |... values| this.prSay(\delay, values) }
	diss { |value, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\diss, [], (value: value, size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	distort { |... values| this.prSay(\distort, values) }
	dur { |value, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\dur, [], (value: value, size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	effect { |... values| this.prSay(\effect, values) }
	fadein { |seconds, action| this.prSend(\fadein, [], (seconds: seconds), action) }
	fadeout { |seconds, action| this.prSend(\fadeout, [], (seconds: seconds), action) }
	filter { |target, size, fits, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\filter, [], (target: target, size: size, fits: fits, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	highpf { |... values| this.prSay(\highpf, values) }
	id { |... values| this.prSay(\id, values) }
	info { |action| this.prSend(\info, [], (), action) }
	lowpf { |... values| this.prSay(\lowpf, values) }
	measure { |name, action| this.prSend(\measure, [name], (), action) }
	mute { |number, action| this.prSend(\mute, [number], (), action) }
	muteall { |action| this.prSend(\muteall, [], (), action) }
	near { |... values| this.prSay(\near, values) }
	palette { |... values| this.prSay(\palette, values) }
	pan { |pan, seconds, action| this.prSend(\pan, [], (pan: pan, seconds: seconds), action) }
	parallel { |rate, action| this.prSend(\parallel, [], (rate: rate), action) }
	pitch { |value, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\pitch, [], (value: value, size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	pitchshift { |semitones, action| this.prSend(\pitchshift, [], (semitones: semitones), action) }
	play { |rate, action| this.prSend(\play, [], (rate: rate), action) }
	playauto { |times, tempo, action| this.prSend(\playauto, [], (times: times, tempo: tempo), action) }
	playautodown { |startspeed, endspeed, times, tempo, action| this.prSend(\playautodown, [], (startspeed: startspeed, endspeed: endspeed, times: times, tempo: tempo), action) }
	random { |size, even_by, far_from, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\random, [], (size: size, even_by: even_by, far_from: far_from, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	remove { |... values| this.prSay(\remove, values) }
	reverb { |... values| this.prSay(\reverb, values) }
	reverse { |action| this.prSend(\reverse, [], (), action) }
	rmod { |... values| this.prSay(\rmod, values) }
	sameidauto { |id, size, tempo, action| this.prSend(\sameidauto, [id], (size: size, tempo: tempo), action) }
	search { |text, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\search, [text], (size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	sequence { |rate, action| this.prSend(\sequence, [], (rate: rate), action) }
	similar { |target, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\similar, [], (target: target, size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	similarauto { |target, size, tempo, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\similarauto, [], (target: target, size: size, tempo: tempo, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	slice { |number, action| this.prSend(\slice, [], (number: number), action) }
	solo { |number, action| this.prSend(\solo, [number], (), action) }
	stop { |action| this.prSend(\stop, [], (), action) }
	tag { |tag, size, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\tag, [tag], (size: size, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	unmute { |number, action| this.prSend(\unmute, [], (number: number), action) }
	vibrato { |... values| this.prSay(\vibrato, values) }
	volume { |volume, seconds, action| this.prSend(\volume, [], (volume: volume, seconds: seconds), action) }
	whatbpm { |action| this.prSend(\whatbpm, [], (), action) }
	whatdur { |action| this.prSend(\whatdur, [], (), action) }
	whatid { |action| this.prSend(\whatid, [], (), action) }
	whatkey { |action| this.prSend(\whatkey, [], (), action) }
	whatpitch { |action| this.prSend(\whatpitch, [], (), action) }
	// verbs end

	// session begin
	*agent { |... values| this.prSay(\agent, values) }
	*credits { |action| this.prSend(\credits, [], (), action) }
	*find { |text, like, unlike, k, agent, any_agent, not_agent, tags, licence, filter, near, strict, best, fresh, spread, seed, measure, action| this.prSend(\find, [], (text: text, like: like, unlike: unlike, k: k, agent: agent, any_agent: any_agent, not_agent: not_agent, tags: tags, licence: licence, filter: filter, near: near, strict: strict, best: best, fresh: fresh, spread: spread, seed: seed, measure: measure), action) }
	*measure { |name, action| this.prSend(\measure, [name], (), action) }
	*panic { |action| this.prSend(\panic, [], (), action) }
	*record { |path, action| this.prSend(\record, [path], (), action) }
	*status { |action| this.prSend(\status, [], (), action) }
	*stop { |action| this.prSend(\stop, [], (), action) }
	*stoprecording { |action| this.prSend(\stoprecording, [], (), action) }
	*tempo { |bpm, action| this.prSend(\tempo, [], (bpm: bpm), action) }
	// session end
}
