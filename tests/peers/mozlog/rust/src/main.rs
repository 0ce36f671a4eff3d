// main - what a Rust program logs through slog-mozlog-json: levels, keys of the logger, numbers of all sizes, text.
// SPDX-License-Identifier: MPL-2.0
use slog::{crit, debug, error, info, o, trace, warn, Drain, Logger};
use std::sync::Mutex;

fn main() {
    let drain = slog_mozlog_json::MozLogJson::new(std::io::stdout())
        .logger_name("autoendpoint-1.0.0".to_owned())
        .msg_type("autoendpoint:log".to_owned())
        .hostname("push-1.example.net".to_owned())
        .build();
    let log = Logger::root(Mutex::new(drain).map(slog::Fuse), o!("version" => "1.0.0"));

    crit!(log, "disk full"; "errno" => 28);
    error!(log, "failed"; "error" => format!("{}", "dial tcp: lookup failed"));
    warn!(log, "slow"; "ms" => 12.5, "tiny" => 1e-7, "zero" => -0.0);
    info!(log, "café \u{2028} 🔥 \"q\" \\ \t \n");
    debug!(log, "big"; "big" => 9_007_199_254_740_993i64, "huge" => u64::MAX, "small" => i64::MIN);
    trace!(log, "tick");
    info!(log, "nothing"; "nothing" => (), "none" => None::<u8>, "yes" => true, "letter" => 'é');
    info!(log.new(o!("rid" => "r-1", "method" => "GET")), "request.summary"; "t" => 11, "code" => 200, "path" => "/");
    info!(log, "{} of {}", "done", 12);
}
