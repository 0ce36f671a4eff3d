/* index - the types of the package; its README.md is the manual. */
/* SPDX-License-Identifier: MPL-2.0 */
/// <reference types="node" />
import { Writable } from 'node:stream';

declare namespace metlog {
	/** 0 emergency, 1 alert, 2 critical, 3 error, 4 warning, 5 notice, 6 informational, 7 debug (RFC 5424). */
	type Severity = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

	/** An object, or where the order of names that are whole numbers matters, a Map or a list of pairs. Values may be anything: what JSON has no text for is left out. */
	type Fields = { readonly [name: string]: unknown } | ReadonlyMap<string, unknown> | ReadonlyArray<readonly [name: string, value: unknown]>;

	type TagValue = string | number | bigint | boolean | null | undefined;
	type Tags = { readonly [name: string]: TagValue } | ReadonlyMap<string, TagValue> | ReadonlyArray<readonly [name: string, value: TagValue]>;

	/** What a message may have of its own; else it is the client's. */
	interface CommonOptions {
		logger?: string | null | undefined;
		severity?: Severity | null | undefined;
		/** RFC 3339 text goes out as it is; a number is milliseconds since 1970. */
		timestamp?: string | Date | number | null | undefined;
		fields?: Fields | null | undefined;
		tags?: Tags | null | undefined;
		pid?: number | undefined;
		hostname?: string | undefined;
	}

	interface MessageOptions extends CommonOptions {
		/** Text by convention; any other value goes out as JSON. */
		payload?: unknown;
	}

	interface RateOptions extends CommonOptions {
		/** The share of calls that is sent: 1 or more always, 0 or less never. */
		rate?: number | undefined;
	}

	interface CountOptions extends RateOptions {
		count?: number | bigint | undefined;
	}

	interface CefEvent {
		signature?: string | null | undefined;
		name?: string | null | undefined;
		/** Of CEF, 0 to 10, or one of its words. */
		severity?: number | string | null | undefined;
		vendor?: string | null | undefined;
		product?: string | null | undefined;
		version?: string | null | undefined;
		/** The keys of CEF's dictionary (src, suser, request, ...), or any. */
		extension?: Fields | null | undefined;
	}

	interface StreamOptions extends CommonOptions {
		/** oldstyle. */
		type?: string | undefined;
	}

	/** Measures from its making to its end. */
	interface Timer {
		/** Once; true if the message was taken. What it is given is added to what the timer was made with. */
		end(options?: RateOptions): boolean;
		[Symbol.dispose](): void;
	}

	interface FilteredMessage {
		readonly type: string;
		readonly severity: Severity;
		readonly logger: string;
		readonly payload: unknown;
		readonly fields: Fields | null | undefined;
		readonly tags: Tags | null | undefined;
	}

	type Filter =
		| { provider: 'severity_max'; severity: Severity }
		| { provider: 'type_allow' | 'type_deny'; types: readonly string[] | string }
		| { provider: 'type_severity_max'; types: readonly string[] | string | { readonly [type: string]: Severity | { severity: Severity } } }
		| ((message: FilteredMessage) => boolean);

	interface ClientOptions {
		/** Where messages go: push: pub: ack: udp: tcp: unix: file: or -. */
		endpoint?: string | undefined;
		logger?: string | undefined;
		/** Of messages that have none of their own; 6. */
		severity?: Severity | undefined;
		hostname?: string | undefined;
		pid?: number | undefined;
		/** Names of timers that are not sent; '*' is all of them. */
		disabledTimers?: readonly string[] | string | undefined;
		filters?: readonly Filter[] | undefined;
		/** Nothing else is possible in Node.js. */
		whenFull?: 'drop' | undefined;
		/** How much may wait to be sent; bytes, or text as '2Mi', which is the default. */
		buffer?: number | string | undefined;
		/** The longest envelope; bytes, or text; '1Mi'. */
		line?: number | string | undefined;
		/** How long a close, or the end of the process, waits; milliseconds, or text as '5s', which is the default. */
		close?: number | string | undefined;
		/** The file with our CURVE key pair, mode 0600. */
		curveSecret?: string | undefined;
		/** The file with the public key of the far side. */
		curveServer?: string | undefined;
		/** Allows ZeroMQ to other hosts without CURVE. */
		insecure?: boolean | undefined;
		/** Hears of what is refused, and why the far side takes nothing. */
		onError?: ((error: Error) => void) | undefined;
		/** The package zeromq, where it cannot be found by require. */
		zeromq?: unknown;
	}

	/** The keys of a file, metlog-client(5), or its sections. */
	interface Configuration {
		[key: string]: unknown;
	}

	interface Counts {
		/** Messages that are under way, or were handed over: sent + unsent. */
		taken: number;
		/** By a rule: a rate, a filter, a disabled timer. */
		leftOut: number;
		/** For there was no room. */
		dropped: number;
		/** That could be no envelope. */
		refused: number;
		/** Handed over, as far as this kind of endpoint can know. */
		sent: number;
		/** Not, or not yet; after a close: lost. */
		unsent: number;
	}

	interface ClosingCounts extends Counts {
		/** Why not everything was sent; '' if it was. */
		reason: string;
	}

	interface WaitOptions {
		/** Milliseconds, or text as '5s'; else what the client has as `close`. */
		timeout?: number | string | undefined;
		/** Ends the wait. */
		signal?: AbortSignal | undefined;
	}

	/** No method throws or rejects, whatever it is given. Those that make a message tell whether it was taken. */
	interface Client {
		metlog(type: string, options?: MessageOptions): boolean;
		incr(name: string, options?: number | bigint | CountOptions): boolean;
		/** A duration that was measured already: it is always sent, and the rate is told only. */
		timerSend(name: string, milliseconds: number, options?: RateOptions): boolean;
		gauge(name: string, value: number | bigint, options?: CommonOptions): boolean;
		set(name: string, member: string | number | bigint, options?: CommonOptions): boolean;

		timer(name: string, options?: RateOptions): Timer;
		/** Times a function to its end; if it brings a promise, until that is settled. What it brings or throws is handed on. */
		time<T>(name: string, callback: () => PromiseLike<T>, options?: RateOptions): Promise<T>;
		time<T>(name: string, callback: () => T, options?: RateOptions): T;
		/** The function, timed at each call. */
		wrap<This, Parameters extends unknown[], Result>(name: string, callback: (this: This, ...parameters: Parameters) => Result, options?: RateOptions):
			(this: This, ...parameters: Parameters) => Result;

		/** Formats as console.log does. */
		debug(format: unknown, ...parameters: unknown[]): boolean;
		info(format: unknown, ...parameters: unknown[]): boolean;
		notice(format: unknown, ...parameters: unknown[]): boolean;
		warning(format: unknown, ...parameters: unknown[]): boolean;
		warn(format: unknown, ...parameters: unknown[]): boolean;
		error(format: unknown, ...parameters: unknown[]): boolean;
		critical(format: unknown, ...parameters: unknown[]): boolean;
		alert(format: unknown, ...parameters: unknown[]): boolean;
		emergency(format: unknown, ...parameters: unknown[]): boolean;
		/** Of a severity that is known at run time, with fields; the text goes out as it is. */
		log(severity: Severity, text: string, options?: CommonOptions): boolean;

		cef(event: CefEvent, options?: CommonOptions): boolean;
		/** An event for Sentry, with the frames and causes of whatever was thrown. */
		captureException(error: unknown, options?: CommonOptions): boolean;

		/** A destination for pino, bunyan, and whatever writes a JSON object a line. */
		stream(options?: StreamOptions): Writable;

		/** The fields go with every message that is made inside, also in what is asynchronous there. */
		run<Parameters extends unknown[], Result>(fields: Fields, callback: (...parameters: Parameters) => Result, ...parameters: Parameters): Result;
		/** The fields of the contexts we are in. */
		context(): { [name: string]: unknown };

		/** Whether everything said before was handed over in time. */
		flush(options?: WaitOptions): Promise<boolean>;
		/** Takes no message any more, waits as flush does, and gives up what is left. */
		close(options?: WaitOptions): Promise<ClosingCounts>;
		/** For the handler of 'exit': writes what waits for a file or standard output; what is for others is given up. */
		closeSync(): ClosingCounts;
		/** Opens the file of a file: endpoint anew, after a rotation. */
		reopen(): void;
		/** Where this Node.js has it (18.18): closes. */
		[Symbol.asyncDispose](): Promise<void>;

		counts(): Counts;
		/** Why the far side takes nothing now; '' if it does. */
		readonly reason: string;
		readonly closed: boolean;
	}

	interface RawJson {
		readonly text: string;
		toJSON(): unknown;
	}

	class MetlogError extends Error {
		readonly code: 'ERR_METLOG';
		/** As a program would exit, <sysexits.h>. */
		readonly status: number;
	}

	interface CreateClient {
		(options: ClientOptions): Client;
		/** From a file, metlog-client(5); what is given here wins over it. */
		fromFile(path: string, options?: ClientOptions): Client;
		fromConfig(configuration: Configuration, options?: ClientOptions): Client;
	}

	/** Throws a MetlogError if what is asked for can never work. */
	const createClient: CreateClient;
	/** A JSON text that goes out as it is; throws a SyntaxError if it is none. */
	function json(text: string): RawJson;
	/** Of this package. */
	const version: string;
	const severities: {
		readonly EMERGENCY: 0; readonly ALERT: 1; readonly CRITICAL: 2; readonly ERROR: 3; readonly WARNING: 4; readonly NOTICE: 5; readonly INFORMATIONAL: 6; readonly DEBUG: 7;
	};
}

export = metlog;
