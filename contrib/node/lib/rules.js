/* rules - which messages a client leaves out: by severity, by type, disabled timers, and functions of the application. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

class Rules {
	constructor({ filters, disabledTimers }) {
		this.severityMax = 7;
		this.allowed = null;
		this.denied = null;
		this.types = null;
		this.functions = [];
		this.disabledTimers = new Set(disabledTimers);
		this.allTimersDisabled = this.disabledTimers.has('*');
		this.anyTimerDisabled = this.disabledTimers.size > 0;
		for (const filter of filters) this.add(filter);
		this.isAny = this.severityMax < 7 || this.allowed !== null || this.denied !== null || this.types !== null;
	}

	/* All must pass: so of two lists of allowed types the intersection is allowed, and of two limits the lower one holds. */
	add(filter) {
		if (typeof filter === 'function') this.functions.push(filter);
		else if (filter.provider === 'severity_max') this.severityMax = Math.min(this.severityMax, filter.severity);
		else if (filter.provider === 'type_allow') this.allowed = new Set(filter.types.filter((type) => this.allowed === null || this.allowed.has(type)));
		else if (filter.provider === 'type_deny') this.denied = new Set([...(this.denied || []), ...filter.types]);
		else {
			this.types = this.types || new Map();
			for (const [type, severity] of filter.types) this.types.set(type, Math.min(severity, this.types.has(type) ? this.types.get(type) : 7));
		}
	}

	pass(type, severity) {
		if (!this.isAny) return true;
		if (severity > this.severityMax) return false;
		if (this.allowed !== null && !this.allowed.has(type)) return false;
		if (this.denied !== null && this.denied.has(type)) return false;
		return this.types === null || !this.types.has(type) || severity <= this.types.get(type);
	}

	timerDisabled(name) {
		return this.anyTimerDisabled && (this.allTimersDisabled || this.disabledTimers.has(name));
	}
}

module.exports = { Rules };
