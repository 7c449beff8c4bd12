//! Ids in the query of a URL, as many as it may hold.

/// Proxies take lines of 8 KiB; the rest of the URL and the method need some of it.
const MAX_BYTES: usize = 6 << 10;
/// What an id costs beside itself: `session_ids=` and `&`.
const KEY_BYTES: usize = 13;

/// The ids in their order, in parts of at most `most`, and of as many as a URL may hold. An id that is too long by itself
/// is a part of its own.
pub(super) fn batches<'a>(ids: &[&'a str], most: usize) -> Vec<Vec<&'a str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        let cost = KEY_BYTES + form_urlencoded::byte_serialize(id.as_bytes()).map(str::len).sum::<usize>();
        match parts.last_mut().filter(|part| part.len() < most && bytes + cost <= MAX_BYTES) {
            Some(part) => part.push(id),
            None => {
                parts.push(vec![id]);
                bytes = 0;
            }
        }
        bytes += cost;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ids_then_no_part_is_too_large_and_none_is_lost() {
        let short: Vec<String> = (0..500).map(|number| format!("{number:016x}")).collect();
        let long = ["ü".repeat(4000), "x".repeat(100)];
        let ids: Vec<&str> = short.iter().chain(&long).map(String::as_str).collect();
        let parts = batches(&ids, 200);
        assert_eq!(parts.concat(), ids);
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [200, 200, 100, 1, 1]);
        assert_eq!(batches(&ids[..3], 1).len(), 3);
        assert!(batches(&[], 10).is_empty());
    }
}
