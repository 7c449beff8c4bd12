//! Fills ordered maps and sets.

/// What `collect` would make, inserted one by one. For each type `collect` brings a sort of its own into the WebAssembly, 5 to
/// 10 KB, so as to build the tree at once; what is gathered here is small or nearly in order.
pub(crate) fn gather<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}
