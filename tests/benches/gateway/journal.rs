//! What it costs that an acknowledged span is on disk, and how long a large journal takes to open after a kill.

use std::time::{Duration, Instant};

use crate::clients::{CLIENTS, send, send_large};
use crate::host::{self, Host};
use crate::sink::Sink;
use crate::{Throughput, median, through_host};

/// How often both sides take turns.
const ROUNDS: usize = 3;
const LARGE: usize = 512 << 20;
const LARGE_SPAN: usize = 64 << 10;

pub(crate) fn on_against_off() {
    let sink = Sink::start();
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        on.push(through_host(&sink, &[], None));
        off.push(through_host(&sink, &["--no-journal"], None));
    }
    println!(
        "{CLIENTS} clients, one span in each request, a sink instead of MLflow (medians of {ROUNDS} rounds in turn):"
    );
    println!("                       acknowledged/s   delivered/s   host's CPU µs/span   spans in a request");
    for (name, side) in [("journal on", &on), ("journal off", &off)] {
        let of = |figure: fn(&Throughput) -> f64| median(&mut side.iter().map(figure).collect::<Vec<_>>());
        let (acknowledged, delivered) = (of(|side| side.acknowledged), of(|side| side.delivered));
        let (cpu, together) = (of(|side| side.cpu_micros), of(|side| side.together));
        println!("  {name:<20} {acknowledged:>14.0} {delivered:>13.0} {cpu:>20.0} {together:>20.0}");
    }
    let ratio = |figure: fn(&Throughput) -> f64| {
        median(&mut on.iter().zip(&off).map(|(on, off)| figure(on) / figure(off)).collect::<Vec<_>>())
    };
    let (acknowledged, delivered) = (ratio(|side| side.acknowledged), ratio(|side| side.delivered));
    println!("  on / off             {acknowledged:>14.2} {delivered:>13.2} {:>20.2}", ratio(|side| side.cpu_micros));
}

/// Fills a journal while nobody takes anything, kills the host, and starts another on the same folder.
pub(crate) fn opening_a_large_one() {
    let nobody = host::free_port();
    let host = Host::start(nobody, &[], None);
    send_large(&host.url(), LARGE / LARGE_SPAN, LARGE_SPAN, 3);
    let folder = host.kill();
    let start = Instant::now();
    let host = Host::start_in(folder, nobody, &[], None);
    // The ports are open before the journal is.
    send(&host.url(), CLIENTS, 4);
    let opened = start.elapsed();
    println!("start on a journal of {} MiB after SIGKILL, until spans are taken: {}", LARGE >> 20, in_ms(opened));
}

fn in_ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}
