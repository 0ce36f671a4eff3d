// statsd_totals.js - a backend for npm's statsd that keeps the totals of all flushes and tells them through the management port.
// SPDX-License-Identifier: MPL-2.0
// `stats` on that port then has a line "peer.totals: {...}", with sets and timers, which the port itself does not show whole.
'use strict';

const totals = { counters: {}, gauges: {}, timers: {}, sets: {} };
const members = new Map();

exports.init = function (startup, config, events) {
	events.on('flush', function (time, metrics) {
		for (const key of Object.keys(metrics.counters)) totals.counters[key] = (totals.counters[key] || 0) + metrics.counters[key];
		Object.assign(totals.gauges, metrics.gauges);
		for (const key of Object.keys(metrics.timers)) {
			const timer = totals.timers[key] || (totals.timers[key] = { samples: 0, sum: 0, scaled: 0 });
			timer.samples += metrics.timers[key].length;
			timer.scaled += metrics.timer_counters[key];
			for (const value of metrics.timers[key]) timer.sum += value;
		}
		for (const key of Object.keys(metrics.sets)) {
			if (!members.has(key)) members.set(key, new Set());
			for (const value of metrics.sets[key].values()) members.get(key).add(value);
			totals.sets[key] = members.get(key).size;
		}
	});
	events.on('status', function (tell) {
		tell(null, 'peer', 'totals', JSON.stringify(totals));
	});
	return true;
};
