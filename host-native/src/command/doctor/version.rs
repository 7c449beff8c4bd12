//! Which MLflow versions can take traces, and what each lacks.

use super::finding::Finding;

/// The first version that stores OpenTelemetry traces so that they can be read again.
const SUPPORTED: (u32, u32) = (3, 6);
/// The first version that takes them at all.
const ACCEPTS: (u32, u32) = (3, 4);

/// What traces gained, and in which version.
const GAINS: [((u32, u32), &str); 5] = [
    ((3, 8), "sessions"),
    ((3, 10), "models and costs"),
    ((3, 12), "users"),
    ((3, 14), "trace names, tags and links"),
    ((3, 16), "cached tokens, and token sums that count nothing twice"),
];

/// What a server of this version (`3.17.2`, `3.6.0rc1`) makes of traces.
pub(super) fn judge(text: &str) -> Finding {
    let Some(version) = parse(text) else {
        return Finding::warning("version", format!("the version {text:?} cannot be read"), "");
    };
    let upgrade = "upgrade the server: pip install --upgrade mlflow (then `mlflow db upgrade` on its store)";
    if version < ACCEPTS {
        return Finding::broken("version", format!("MLflow {text} does not take OpenTelemetry traces"), upgrade);
    }
    if version < SUPPORTED {
        return Finding::broken("version", format!("MLflow {text} takes traces, but cannot show them"), upgrade);
    }
    let lacks: Vec<_> = GAINS.iter().filter(|(since, _)| version < *since).map(|(_, gain)| *gain).collect();
    match lacks.as_slice() {
        [] => Finding::ok("version", format!("MLflow {text}")),
        lacks => Finding::warning("version", format!("MLflow {text} does not show {}", lacks.join("; ")), upgrade),
    }
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn given_a_version_then_it_is_judged_by_what_it_can_store_and_show() {
        for (text, state, said) in [
            ("2.22.0", State::Broken, "does not take"),
            ("3.3.2", State::Broken, "does not take"),
            ("3.4.0", State::Broken, "cannot show"),
            ("3.5.1", State::Broken, "cannot show"),
            ("3.6.0", State::Warning, "sessions; models and costs; users"),
            ("3.9.0", State::Warning, "models and costs"),
            ("3.12.0rc1", State::Warning, "tags and links"),
            ("3.16.0", State::Ok, "3.16.0"),
            ("3.17.2", State::Ok, "3.17.2"),
            ("4.0.0.dev0", State::Ok, "4.0.0.dev0"),
            ("<html>", State::Warning, "cannot be read"),
        ] {
            let finding = judge(text);
            assert_eq!(finding.state, state, "{text}");
            assert!(finding.found.contains(said), "{text}: {}", finding.found);
        }
        assert!(!judge("3.9.0").found.contains("sessions"));
    }
}
