//! Name trees and number trees (ISO 32000-1, 7.9.6): walked with a bound, each node once.

use std::collections::HashSet;

use hayro_interpret::hayro_syntax::object::{Array, Dict, MaybeRef, ObjRef};

/// Nodes of a tree that are visited.
const MAX_NODES: usize = 2_000;
/// Entries of a leaf that are read.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// Calls `leaf` with each array of entries, `key` being `Names` or `Nums`.
pub(super) fn leaves<'a>(root: &Dict<'a>, key: &[u8], leaf: &mut dyn FnMut(&Array<'a>)) {
    let mut visited: HashSet<ObjRef> = HashSet::new();
    let mut open = vec![root.clone()];
    let mut nodes = 0;
    while let Some(node) = open.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return;
        }
        if let Some(entries) = node.get::<Array<'a>>(key) {
            leaf(&entries);
        }
        let Some(kids) = node.get::<Array<'a>>(b"Kids".as_slice()) else { continue };
        // References tell whether a node was seen; nodes that stand in the array itself cannot make loops.
        let mut fresh: Vec<Dict<'a>> = Vec::new();
        for (reference, kid) in kids.raw_iter().zip(kids.iter::<Dict<'a>>()).take(MAX_NODES) {
            let is_new = match reference {
                MaybeRef::Ref(reference) => visited.insert(reference),
                MaybeRef::NotRef(_) => true,
            };
            if is_new {
                fresh.push(kid);
            }
        }
        open.extend(fresh.into_iter().rev());
    }
}
