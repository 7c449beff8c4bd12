//! `translate`: one OTLP payload from standard input to standard output; what was done to it on standard error.
//!
//! Nothing is written to standard output unless the whole payload could be read.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::{OtlpEncoding, TranslateArgs};
use crate::payload::Encoding;
use crate::terminal::printable;
use crate::wasm::{Quarantined, Repair, Translated, Translator};

pub(super) fn run(args: &TranslateArgs, translator: &Translator) -> anyhow::Result<ExitCode> {
    let mut output = io::stdout().lock();
    if args.to == OtlpEncoding::Protobuf && output.is_terminal() {
        bail!("protobuf would garble the terminal\nhint: redirect standard output to a file, or say --to json");
    }
    let mut payload = Vec::new();
    io::stdin().lock().read_to_end(&mut payload).context("standard input cannot be read")?;
    let translated = match translator.translate(&payload, encoding(args.from), encoding(args.to))? {
        Ok(translated) => translated,
        Err(malformed) => bail!("standard input is not {}: {}\n{}", name(args.from), malformed.reason, hint(args.from)),
    };
    output.write_all(&translated.payload).and_then(|()| output.flush()).context("standard output cannot be written")?;
    write_report(&translated, &mut io::stderr().lock()).context("standard error cannot be written")?;
    Ok(ExitCode::SUCCESS)
}

fn write_report(translated: &Translated, report: &mut impl Write) -> io::Result<()> {
    for Repair { trace_id, span_id, rule, place } in &translated.repairs {
        writeln!(report, "repaired: trace {trace_id} span {span_id}: {rule} at {}", printable(place))?;
    }
    for Quarantined { trace_id, span_id, reason, .. } in &translated.quarantined {
        writeln!(report, "left out: trace {trace_id} span {span_id}: {}", printable(reason))?;
    }
    match (translated.repairs.len(), translated.quarantined.len()) {
        (0, 0) => Ok(()),
        (repairs, left_out) => writeln!(report, "values repaired: {repairs}, spans left out: {left_out}"),
    }
}

fn encoding(encoding: OtlpEncoding) -> Encoding {
    match encoding {
        OtlpEncoding::Protobuf => Encoding::Protobuf,
        OtlpEncoding::Json => Encoding::Json,
    }
}

fn name(encoding: OtlpEncoding) -> &'static str {
    match encoding {
        OtlpEncoding::Protobuf => "an OTLP protobuf payload",
        OtlpEncoding::Json => "an OTLP/JSON payload",
    }
}

fn hint(encoding: OtlpEncoding) -> &'static str {
    match encoding {
        OtlpEncoding::Protobuf => "hint: if it is JSON, say --from json",
        OtlpEncoding::Json => "hint: if it is protobuf, leave --from json out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(translated: &Translated) -> String {
        let mut report = Vec::new();
        write_report(translated, &mut report).unwrap();
        String::from_utf8(report).unwrap()
    }

    #[test]
    fn given_a_payload_that_needed_nothing_then_nothing_is_reported() {
        assert_eq!(report(&Translated { payload: vec![1], repairs: vec![], quarantined: vec![] }), "");
    }

    #[test]
    fn given_repairs_and_spans_left_out_then_each_is_a_line_and_they_are_counted() {
        let repair = Repair {
            trace_id: "aa".into(),
            span_id: "bb".into(),
            rule: "not-finite".into(),
            place: "llm.cost\u{1b}[2J".into(),
        };
        let span = Quarantined {
            trace_id: "cc".into(),
            span_id: "".into(),
            reason: "no span id".into(),
            payload: vec![],
            receipt: None,
        };
        let said = report(&Translated { payload: vec![], repairs: vec![repair], quarantined: vec![span] });
        let expected = "repaired: trace aa span bb: not-finite at llm.cost�[2J\n\
                        left out: trace cc span : no span id\n\
                        values repaired: 1, spans left out: 1\n";
        assert_eq!(said, expected);
    }
}
