//! Exponential backoff with deterministic jitter. The core draws no random numbers: a digest of the seed and the number of
//! failures places the retry in the upper half of the interval, on every platform and with every version of Rust.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::settings::Settings;

/// How many milliseconds to wait after so many failures in a row (1 or more).
pub fn delay(settings: &Settings, failures: u32) -> u64 {
    let doubled = settings.retry_initial_ms.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let longest = doubled.min(settings.retry_max_ms).max(1);
    let digest = xxh3_64_with_seed(&failures.to_le_bytes(), settings.seed);
    longest - digest % (longest / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_maximum_and_stay_in_the_upper_half() {
        let settings = Settings { retry_initial_ms: 100, retry_max_ms: 5_000, ..Settings::default() };
        for failures in 1..100 {
            let longest = (100u64 << (failures - 1).min(20)).min(5_000);
            let delay = delay(&settings, failures);
            assert!(delay <= longest && delay >= longest / 2, "{failures}: {delay} of {longest}");
        }
    }

    #[test]
    fn seeds_spread_the_retries_of_several_bridges() {
        let delays: std::collections::BTreeSet<_> =
            (0..50).map(|seed| delay(&Settings { seed, ..Settings::default() }, 7)).collect();
        assert!(delays.len() > 25, "{} different delays", delays.len());
    }
}
