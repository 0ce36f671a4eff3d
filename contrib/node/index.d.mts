/* index - the same for `import`. */
/* SPDX-License-Identifier: MPL-2.0 */
import metlog = require('./index.js');

export import createClient = metlog.createClient;
export import json = metlog.json;
export import severities = metlog.severities;
export import version = metlog.version;
export import MetlogError = metlog.MetlogError;
export type Client = metlog.Client;
export type ClientOptions = metlog.ClientOptions;
export type CefEvent = metlog.CefEvent;
export type ClosingCounts = metlog.ClosingCounts;
export type CommonOptions = metlog.CommonOptions;
export type CountOptions = metlog.CountOptions;
export type Counts = metlog.Counts;
export type Fields = metlog.Fields;
export type Filter = metlog.Filter;
export type MessageOptions = metlog.MessageOptions;
export type RateOptions = metlog.RateOptions;
export type Severity = metlog.Severity;
export type StreamOptions = metlog.StreamOptions;
export type Tags = metlog.Tags;
export type Timer = metlog.Timer;
export type WaitOptions = metlog.WaitOptions;
export default metlog;
