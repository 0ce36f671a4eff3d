/* client - hands messages to a pipeline of the Metlog toolkit; whatever happens, the application hears no exception of it. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const util = require('util');
const exit = require('./exit.js');
const { parseEndpoint } = require('./endpoint.js');
const { MetlogError } = require('./fault.js');
const { complete, duration } = require('./options.js');
const { Contexts } = require('./context.js');
const { Envelope } = require('./envelope.js');
const { describe } = require('./exception.js');
const { JsonWriter, number, quote, reasonOf } = require('./json.js');
const { LogStream } = require('./log_stream.js');
const { Outbox } = require('./outbox.js');
const { Rules } = require('./rules.js');
const { Timer, mergedOptions, noTimer } = require('./timer.js');
const { DATAGRAM_MAX } = require('./transport/udp.js');
const { openTransport } = require('./transport/index.js');

const METRIC = JsonWriter.NAME | JsonWriter.RATE;
const CEF_PARTS = ['signature', 'name', 'severity', 'vendor', 'product', 'version'];
const NOTHING = Object.freeze({});

function joined(first, second) {
	return first === '' ? second : second === '' ? first : first + ',' + second;
}

function isChosen(rate) {
	return rate >= 1 || Math.random() < rate;
}

function given(value) {
	return value !== undefined && value !== null;
}

/* An object of options, whatever was passed for one. */
function optionsOf(value) {
	return value !== null && typeof value === 'object' ? value : undefined;
}

class Client {
	#options; #endpoint; #envelope; #writer; #rules; #outbox; #transport; #lineMax; #severity;
	#contexts = null;
	#taken = 0; #leftOut = 0; #dropped = 0; #refused = 0;
	#unreported = 0; #scheduled = false; #closed = false; #ended = false; #closing = null; #reason = ''; #telling = false; #outwaited = false;
	#onTurn = () => this.#turn();
	// Once: where it was in vain, the process has nothing more to wait for.
	#onExit = () => {
		if (!this.#outwaited && !this.#outbox.isEmpty) this.flush().then((done) => { this.#outwaited = !done; });
	};
	#timing = (name, ms, rate, options, context, more) => {
		try { return this.#closed ? false : this.#metric('timer', name, '' + ms, rate, mergedOptions(options, more), context); } catch (error) { return this.#refuse(error); }
	};

	constructor(made) {
		const options = this.#options = complete(made);
		this.#endpoint = parseEndpoint(options.endpoint);
		this.#severity = options.severity;
		this.#lineMax = this.#endpoint.kind === 'udp' ? Math.min(options.line, DATAGRAM_MAX) : options.line;
		this.#envelope = new Envelope(options);
		this.#writer = new JsonWriter(this.#lineMax);
		this.#rules = new Rules(options);
		this.#outbox = new Outbox(options.buffer);
		this.#transport = openTransport(this.#endpoint, options, this.#outbox, {
			here: () => { this.#reason = ''; },
			away: (reason) => this.#away(reason),
			warn: (text) => this.#tell(new MetlogError(`${this.#endpoint.text}: ${text}`)),
		});
		exit.register(this.#onExit);
	}

	// --- messages ---

	metlog(type, options) {
		if (this.#closed) return false;
		try {
			const own = optionsOf(options) || NOTHING;
			const text = typeof type === 'string' ? type : String(type);
			this.#writer.begin();
			const payload = own.payload === undefined ? '""' : this.#writer.value(own.payload);
			return this.#send(text, payload === undefined ? '""' : payload, '', 0, own, this.#context());
		} catch (error) { return this.#refuse(error); }
	}

	incr(name, options) {
		if (this.#closed) return false;
		try {
			const own = typeof options === 'object' && options !== null ? options : undefined;
			const count = own !== undefined ? own.count : options;
			const rate = own !== undefined && own.rate !== undefined ? own.rate : 1;
			if (!isChosen(rate)) return this.#leaveOut();
			return this.#metric('counter', name, count === undefined ? '1' : decimal(count), rate, own, this.#context());
		} catch (error) { return this.#refuse(error); }
	}

	timerSend(name, ms, options) {
		if (this.#closed) return false;
		try {
			const own = optionsOf(options);
			return this.#metric('timer', name, decimal(ms), own !== undefined && own.rate !== undefined ? own.rate : 1, own, this.#context());
		} catch (error) { return this.#refuse(error); }
	}

	gauge(name, value, options) {
		if (this.#closed) return false;
		try { return this.#metric('gauge', name, decimal(value), null, optionsOf(options), this.#context()); } catch (error) { return this.#refuse(error); }
	}

	set(name, member, options) {
		if (this.#closed) return false;
		try { return this.#metric('set', name, String(member), null, optionsOf(options), this.#context()); } catch (error) { return this.#refuse(error); }
	}

	timer(name, options) {
		if (this.#closed) return noTimer;
		try {
			const own = optionsOf(options);
			const rate = own !== undefined && own.rate !== undefined ? own.rate : 1;
			if (this.#rules.timerDisabled(name) || !isChosen(rate)) {
				this.#leftOut++;
				return noTimer;
			}
			return new Timer(this.#timing, name, rate, own, this.#context());
		} catch (error) {
			this.#refuse(error);
			return noTimer;
		}
	}

	time(name, callback, options) {
		const timer = this.timer(name, options);
		let result;
		try {
			result = callback();
		} catch (error) {
			timer.end();
			throw error;
		}
		if (result === null || result === undefined || typeof result.then !== 'function') {
			timer.end();
			return result;
		}
		// What it brings, and whether a failure is looked at, stays the caller's affair. What is no real promise (a query that runs when it is waited for) is waited for once.
		return Promise.resolve(result).finally(() => { timer.end(); });
	}

	wrap(name, callback, options) {
		const client = this;
		return function timed(...parameters) {
			return client.time(name, () => callback.apply(this, parameters), options);
		};
	}

	log(severity, text, options) {
		if (this.#closed) return false;
		try {
			const own = optionsOf(options) || NOTHING;
			this.#writer.begin();
			return this.#send('oldstyle', quote(typeof text === 'string' ? text : util.format(text)), '', 0, own, this.#context(), severity);
		} catch (error) { return this.#refuse(error); }
	}

	debug(format, ...rest) { return this.#level(7, format, rest); }
	info(format, ...rest) { return this.#level(6, format, rest); }
	notice(format, ...rest) { return this.#level(5, format, rest); }
	warning(format, ...rest) { return this.#level(4, format, rest); }
	warn(format, ...rest) { return this.#level(4, format, rest); }
	error(format, ...rest) { return this.#level(3, format, rest); }
	critical(format, ...rest) { return this.#level(2, format, rest); }
	alert(format, ...rest) { return this.#level(1, format, rest); }
	emergency(format, ...rest) { return this.#level(0, format, rest); }

	cef(event, options) {
		if (this.#closed) return false;
		try {
			this.#writer.begin();
			const named = CEF_PARTS.filter((part) => given(event[part]));
			const parts = named.map((part) => this.#writer.name(part) +
				(part === 'severity' && typeof event.severity !== 'string' ? decimal(event.severity) : quote(String(event[part]))));
			const fields = joined(parts.join(','), this.#writer.members(event.extension, new Set(named)));
			return this.#send('cef', '""', fields, 0, optionsOf(options) || NOTHING, this.#context());
		} catch (error) { return this.#refuse(error); }
	}

	captureException(error, options) {
		if (this.#closed) return false;
		try {
			const { text, values } = describe(error);
			this.#writer.begin();
			const fields = '"exception":' + this.#writer.value({ values }) + ',"platform":"node"';
			return this.#send('sentry', quote(text), fields, 0, optionsOf(options) || NOTHING, this.#context(), 3);
		} catch (failure) { return this.#refuse(failure); }
	}

	stream(options) {
		let own = NOTHING;
		try { own = { ...optionsOf(options) }; } catch (error) { this.#tell(error); }
		return new LogStream(this, own);
	}

	// --- contexts ---

	run(fields, callback, ...parameters) {
		if (this.#contexts === null) this.#contexts = new Contexts(this.#writer);
		return this.#contexts.run(fields, callback, parameters);
	}

	context() {
		const context = this.#context();
		return context === undefined ? {} : Object.fromEntries(context.fields);
	}

	// --- the end ---

	get reason() { return this.#reason; }
	get closed() { return this.#closed; }

	counts() {
		const sent = this.#outbox.sent;
		return { taken: this.#taken, leftOut: this.#leftOut, dropped: this.#dropped, refused: this.#refused, sent, unsent: this.#taken - sent };
	}

	flush(options) {
		const { timeout, signal } = waitOptions(options);
		return this.#wait(this.#patience(timeout), signal);
	}

	close(options) {
		if (this.#closing === null) this.#closing = this.#shut(waitOptions(options));
		return this.#closing;
	}

	closeSync() {
		this.#closed = true;
		exit.unregister(this.#onExit);
		this.#report();
		if (!this.#ended) {
			if (this.#transport.closeSync) this.#transport.closeSync();
			else this.#outbox.unsettle(this.#transport.abandon() || 0);
		}
		this.#end();
		const counts = { ...this.counts(), reason: this.#reason };
		if (this.#closing === null) this.#closing = Promise.resolve(counts);
		return counts;
	}

	reopen() {
		if (this.#transport.reopen) this.#transport.reopen();
	}

	// --- inside ---

	#context() { return this.#contexts === null ? undefined : this.#contexts.current(); }

	#metric(type, name, payload, rate, options, context) {
		this.#writer.begin();
		let fields = '"name":' + quote(typeof name === 'string' ? name : String(name));
		if (rate !== null) fields += ',"rate":' + (typeof rate === 'number' ? number(rate) : decimal(Number(rate)));
		return this.#send(type, quote(payload), fields, rate === null ? JsonWriter.NAME : METRIC, options === undefined ? NOTHING : options, context);
	}

	/* What is left out is not formatted. */
	#level(severity, format, rest) {
		if (this.#closed) return false;
		try {
			if (!this.#rules.pass('oldstyle', severity)) return this.#leaveOut();
			const text = rest.length === 0 && typeof format === 'string' ? format : util.format(format, ...rest);
			return this.#send('oldstyle', quote(text), '', 0, NOTHING, this.#context(), severity);
		} catch (error) { return this.#refuse(error); }
	}

	/* lead: the members that this client writes first; skip: which names of the caller's fields they take. */
	#send(type, payload, lead, skip, options, context, standard = this.#severity) {
		const severity = given(options.severity) ? options.severity : standard;
		if (!(Number.isInteger(severity) && severity >= 0 && severity <= 7)) throw new RangeError('a severity is a number from 0 to 7');
		if (!this.#rules.pass(type, severity)) return this.#leaveOut();
		if (this.#rules.functions.length > 0 && !this.#functionsPass(type, severity, payload, options)) return this.#leaveOut();
		if (options === NOTHING && context === undefined) return this.#push(this.#envelope.compose(type, severity, payload, lead));
		const fields = this.#fields(lead, skip, options, context);
		const isPlain = options.timestamp === undefined && options.logger === undefined && options.pid === undefined && options.hostname === undefined;
		return this.#push(isPlain ? this.#envelope.compose(type, severity, payload, fields) : this.#envelope.composeOwn(type, severity, payload, fields, options));
	}

	#fields(lead, skip, options, context) {
		const tags = given(options.tags) ? this.#writer.tags(options.tags) : '';
		const taken = tags === '' ? skip : skip | JsonWriter.TAGS;
		let fields = joined(lead, this.#writer.members(options.fields, taken));
		if (context !== undefined) {
			fields = joined(fields, context.textBut(options.fields, (name) => (name === 'name' && (taken & JsonWriter.NAME) !== 0) ||
				(name === 'rate' && (taken & JsonWriter.RATE) !== 0) || (name === 'tags' && (taken & JsonWriter.TAGS) !== 0)));
		}
		return tags === '' ? fields : joined(fields, '"tags":{' + tags + '}');
	}

	#functionsPass(type, severity, payload, options) {
		const message = { type, severity, logger: given(options.logger) ? options.logger : this.#options.logger, payload: JSON.parse(payload), fields: options.fields, tags: options.tags };
		// What one throws refuses the message: it may have been about to take it out, or a secret out of it.
		return this.#rules.functions.every((filter) => filter(message));
	}

	#push(line) {
		if (this.#closed) return false; // by what looking at the caller's values has called
		const length = line.length;
		if (length * 3 > this.#lineMax && Buffer.byteLength(line) > this.#lineMax) throw new RangeError(`the envelope would be longer than ${this.#lineMax} bytes`);
		if (!this.#outbox.hasRoom(length)) {
			this.#dropped++;
			this.#unreported++;
			this.#outbox.onProgress = this.#onTurn;
			return false;
		}
		this.#taken++;
		if (this.#outbox.push(line)) this.#schedule();
		return true;
	}

	#schedule() {
		if (this.#scheduled) return;
		this.#scheduled = true;
		const turn = setImmediate(this.#onTurn);
		if (exit.isOver()) turn.unref();
	}

	#turn() {
		this.#scheduled = false;
		if (this.#unreported > 0 && this.#outbox.isHalfEmpty) this.#report();
		this.#transport.kick();
	}

	/* How many were dropped since the last time, once there is room to say it. */
	#report() {
		if (this.#unreported === 0 || this.#outbox.report !== null) return;
		const line = this.#envelope.compose('counter', this.#severity, '"' + this.#unreported + '"', '"name":"metlog.client.dropped","rate":1');
		if (!this.#outbox.hasRoom(line.length)) return;
		this.#unreported = 0;
		this.#outbox.onProgress = null;
		this.#outbox.pushReport(line);
	}

	#leaveOut() {
		this.#leftOut++;
		return false;
	}

	#refuse(error) {
		this.#refused++;
		this.#tell(error);
		return false;
	}

	#away(reason) {
		if (reason === this.#reason) return;
		this.#reason = reason;
		this.#tell(new MetlogError(`${this.#endpoint.text}: ${reason}`));
	}

	#tell(error) {
		const { onError } = this.#options;
		if (onError === undefined || this.#telling) return;
		this.#telling = true;
		try { onError(error instanceof Error ? error : new MetlogError(reasonOf(error))); } catch { /* its own affair */ } finally { this.#telling = false; }
	}

	#patience(timeout) {
		if (timeout === undefined || timeout === null) return this.#options.close;
		if (timeout === Infinity) return 2 ** 31 - 1;
		try { return duration(timeout); } catch { return this.#options.close; }
	}

	/* Resolves with whether everything that has entered so far was handed over in time; never rejects. */
	#wait(ms, signal) {
		const outbox = this.#outbox;
		if (!outbox.isEmpty && !this.#ended) this.#turn();
		if (outbox.isEmpty) return Promise.resolve(true);
		if (this.#ended || isAborted(signal)) return Promise.resolve(false);
		return new Promise((resolve) => {
			const finish = (done) => {
				cancel();
				clearTimeout(timer);
				forget();
				resolve(done);
			};
			const cancel = outbox.wait(finish);
			const timer = setTimeout(() => finish(false), ms);
			const forget = onAbort(signal, () => finish(false));
		});
	}

	async #shut({ timeout, signal }) {
		this.#closed = true;
		exit.unregister(this.#onExit);
		const ms = this.#patience(timeout), began = Date.now();
		this.#report();
		const left = () => Math.max(0, ms - (Date.now() - began));
		let done = await this.#wait(ms, signal);
		if (done && this.#unreported > 0) {
			this.#report();
			done = await this.#wait(left(), signal);
		}
		// What cannot be told for certain counts as not sent. (closeSync may have come between.)
		const lost = this.#ended ? 0 : done ? await this.#closeTransport(left(), signal) : this.#transport.abandon() || 0;
		if (!this.#ended) this.#outbox.unsettle(lost);
		this.#end();
		return { ...this.counts(), reason: this.#reason };
	}

	/* What anybody still waits for will not come. */
	#end() {
		this.#ended = true;
		this.#outbox.giveUp();
	}

	#closeTransport(ms, signal) {
		return new Promise((resolve) => {
			const finish = (lost) => {
				clearTimeout(timer);
				forget();
				resolve(lost);
			};
			const giveUp = () => finish(this.#transport.abandon() || 0);
			const timer = setTimeout(giveUp, ms);
			const forget = onAbort(signal, giveUp);
			if (isAborted(signal)) giveUp();
			else this.#transport.close(finish);
		});
	}
}

/* The text of a number, as the other clients write it. */
function decimal(value) {
	if (typeof value === 'bigint' || (typeof value === 'number' && value - value === 0)) return '' + value;
	throw new RangeError('not a number that can be sent: ' + (typeof value === 'symbol' ? 'a symbol' : value));
}

/* What a wait was given; what cannot be looked at is as if it were not there. */
function waitOptions(options) {
	try {
		const { timeout, signal } = optionsOf(options) || NOTHING;
		return { timeout, signal: given(signal) && typeof signal.addEventListener === 'function' ? signal : undefined };
	} catch { return NOTHING; }
}

function isAborted(signal) {
	return signal !== undefined && signal.aborted === true;
}

function onAbort(signal, callback) {
	if (signal === undefined) return () => {};
	signal.addEventListener('abort', callback, { once: true });
	return () => signal.removeEventListener('abort', callback);
}

if (Symbol.asyncDispose) Client.prototype[Symbol.asyncDispose] = async function dispose() { await this.close(); };

module.exports = { Client };
