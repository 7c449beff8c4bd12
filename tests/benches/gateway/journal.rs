//! What it costs that an acknowledged span is on disk, and how long a large journal takes to open after a kill.

use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use crate::clients::{CLIENTS, send, send_from};
use crate::host::Host;
use crate::process;
use crate::sink::Sink;
use crate::{Throughput, median, through_host};

/// How often both sides take turns.
const ROUNDS: usize = 3;
/// Each waits for the disk before it sends its next span: so few can send no more than so many spans in each sync.
const FEW_AND_MANY: [usize; 2] = [CLIENTS, 200];
const LARGE: usize = 512 << 20;
const LARGE_SPAN: usize = 64 << 10;

pub(crate) fn on_against_off() {
    println!(
        "clients that send one span in each request, a sink instead of MLflow (medians of {ROUNDS} rounds in turn);"
    );
    println!("a sync of this disk takes {:.1} ms:", sync_seconds() * 1e3);
    println!("                           acknowledged/s   delivered/s   host's CPU µs/span   spans in a request");
    FEW_AND_MANY.into_iter().for_each(compare);
}

fn compare(clients: usize) {
    let sink = Sink::start();
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        on.push(through_host(&sink, clients, &[], None));
        off.push(through_host(&sink, clients, &["--no-journal"], None));
    }
    for (name, side) in [("journal on", &on), ("journal off", &off)] {
        let of = |figure: fn(&Throughput) -> f64| median(&mut side.iter().map(figure).collect::<Vec<_>>());
        let (acknowledged, delivered) = (of(|side| side.acknowledged), of(|side| side.delivered));
        let (cpu, together) = (of(|side| side.cpu_micros), of(|side| side.together));
        println!(
            "  {clients:>3} clients, {name:<11} {acknowledged:>14.0} {delivered:>13.0} {cpu:>20.0} {together:>20.0}"
        );
    }
    let ratio = |figure: fn(&Throughput) -> f64| {
        median(&mut on.iter().zip(&off).map(|(on, off)| figure(on) / figure(off)).collect::<Vec<_>>())
    };
    let (acknowledged, delivered) = (ratio(|side| side.acknowledged), ratio(|side| side.delivered));
    println!("               on / off  {acknowledged:>14.2} {delivered:>13.2} {:>20.2}", ratio(|side| side.cpu_micros));
}

/// The median of what the disk needs to keep one page.
fn sync_seconds() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let mut page = || {
        let start = Instant::now();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_data().unwrap();
        start.elapsed().as_secs_f64()
    };
    median(&mut (0..100).map(|_| page()).collect::<Vec<_>>())
}

/// Fills a journal while nobody takes anything, kills the host, and starts another on the same folder.
pub(crate) fn opening_a_large_one() {
    let nobody = process::free_port();
    let host = Host::start(nobody, &[], None);
    send_from(CLIENTS, &host.url(), LARGE / LARGE_SPAN, LARGE_SPAN, 3);
    let folder = host.kill();
    let start = Instant::now();
    let host = Host::start_in(folder, nobody, &[], None);
    // The ports are open before the journal is.
    send(&host.url(), CLIENTS, 4);
    let opened = start.elapsed().as_secs_f64() * 1e3;
    println!("start on a journal of {} MiB after SIGKILL, until spans are taken: {opened:.0} ms", LARGE >> 20);
}
