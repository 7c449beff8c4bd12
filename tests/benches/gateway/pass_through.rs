//! The CPU time of `serve` for a span, beside a collector that only passes spans on.

use openinference_mlflow_tests::report::Row;

use crate::clients::send_requests;
use crate::host::Host;
use crate::median;
use crate::process::Process;
use crate::rotel::Rotel;
use crate::sink::Sink;

/// How often the sides take turns.
const ROUNDS: usize = 5;

/// Spans in a request, clients, spans in all, and how many times rotel's time `serve` may take: without the journal, with it.
const SHAPES: [(usize, usize, usize, [f64; 2]); 3] =
    [(512, 4, 51_200, [1.2, 1.5]), (9, 8, 18_000, [1.2, 1.7]), (1, 20, 10_000, [1.3, 2.5])];

pub(crate) fn beside_rotel() {
    println!("CPU µs a span, spans of 1.8 KB over OTLP/HTTP, a sink behind it, medians of {ROUNDS} rounds in turn:");
    for (together, clients, spans, targets) in SHAPES {
        let sink = Sink::start();
        let rotel = Rotel::start(sink.port);
        let memory = Host::start(sink.port, &["--no-journal"], None);
        let journal = Host::start(sink.port, &[], None);
        let sides: [(&str, &Process, String); 3] = [
            ("rotel", &rotel.process, rotel.url()),
            ("serve, no journal", &memory.process, memory.url()),
            ("serve", &journal.process, journal.url()),
        ];
        let mut rounds = sides.each_ref().map(|_| Vec::new());
        for round in 0..=ROUNDS {
            for ((number, (_, process, url)), times) in (0..).zip(&sides).zip(&mut rounds) {
                let cpu = process.cpu_seconds();
                let goal = sink.spans() + spans;
                send_requests(clients, url, spans, together, round as u8 * 3 + number);
                sink.wait_for(goal);
                // The first round warms up.
                if round > 0 {
                    times.push((process.cpu_seconds() - cpu) * 1e6 / spans as f64);
                }
            }
        }
        let [beside, ours @ ..] = rounds;
        for (((name, ..), times), target) in sides[1..].iter().zip(ours).zip(targets) {
            let ratio = median(&mut times.iter().zip(&beside).map(|(ours, beside)| ours / beside).collect::<Vec<_>>());
            Row {
                table: "gateway",
                name: &format!("{name}, {together} spans a request"),
                unit: "CPU µs a span",
                beside: ("rotel", median(&mut beside.clone())),
                ours: median(&mut times.clone()),
                ratio,
                target: Some(target),
            }
            .record();
        }
    }
}
