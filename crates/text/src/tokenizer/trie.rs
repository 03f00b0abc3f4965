//! A double-array trie over symbols.
//!
//! The child of node `n` by symbol `s` is slot `base[n] + s`, and is there when that slot's `parent` is `n`. One
//! addition and one comparison a step, twelve bytes a node.

/// No piece ends here, or no node occupies this slot.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Node {
    base: u32,
    parent: u32,
    /// Id of the piece that ends at this node.
    id: u32,
}

const FREE: Node = Node { base: 0, parent: NONE, id: NONE };

#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

/// A place in the trie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor(u32);

impl Trie {
    pub(super) const ROOT: Cursor = Cursor(0);

    /// Builds the trie of `keys`, which are sorted by their symbols, unique and not empty. Symbols are at least 1.
    pub(super) fn build(keys: &[(&[u16], u32)]) -> Self {
        let mut builder = Builder { nodes: vec![FREE; 1], search_from: 1 };
        builder.nodes[0].parent = 0;
        let mut pending = vec![Subtree { node: 0, first: 0, last: keys.len(), depth: 0 }];
        while let Some(subtree) = pending.pop() {
            builder.place_children(keys, subtree, &mut pending);
        }
        let mut nodes = builder.nodes;
        nodes.shrink_to_fit();
        Self { nodes }
    }

    #[inline]
    pub(super) fn child(&self, at: Cursor, symbol: u16) -> Option<Cursor> {
        let parent = self.nodes.get(at.0 as usize)?;
        let slot = parent.base + u32::from(symbol);
        let node = self.nodes.get(slot as usize)?;
        // The root is nobody's child, though it names itself as its parent.
        (node.parent == at.0 && slot != 0).then_some(Cursor(slot))
    }

    #[inline]
    pub(super) fn id(&self, at: Cursor) -> Option<u32> {
        let id = self.nodes.get(at.0 as usize)?.id;
        (id != NONE).then_some(id)
    }
}

/// The keys `first..last`, which share their first `depth` symbols and stand below `node`.
struct Subtree {
    node: u32,
    first: usize,
    last: usize,
    depth: usize,
}

struct Builder {
    nodes: Vec<Node>,
    /// No slot below is worth trying.
    search_from: usize,
}

impl Builder {
    fn place_children(&mut self, keys: &[(&[u16], u32)], subtree: Subtree, pending: &mut Vec<Subtree>) {
        let Subtree { node, mut first, last, depth } = subtree;
        if first < last && keys[first].0.len() == depth {
            self.nodes[node as usize].id = keys[first].1;
            first += 1;
        }
        let groups: Vec<(u16, usize, usize)> = group_by_symbol(keys, first, last, depth);
        if groups.is_empty() {
            return;
        }
        let base = self.find_base(&groups);
        self.nodes[node as usize].base = base as u32;
        for &(symbol, group_first, group_last) in &groups {
            let slot = base + usize::from(symbol);
            self.nodes[slot].parent = node;
            pending.push(Subtree {
                node: slot as u32,
                first: group_first,
                last: group_last,
                depth: depth + 1,
            });
        }
    }

    /// A base at which the slots of all `groups` are free; grows the array to hold them.
    fn find_base(&mut self, groups: &[(u16, usize, usize)]) -> usize {
        /// Above this share of occupied slots a stretch is not searched again.
        const CROWDED_PERCENT: usize = 95;
        let lowest = usize::from(groups[0].0);
        let highest = usize::from(groups[groups.len() - 1].0);
        let start = self.search_from.max(lowest);
        let mut slot = start;
        let mut occupied = 0;
        let base = loop {
            if self.is_free(slot) {
                let base = slot - lowest;
                if groups.iter().all(|&(symbol, ..)| self.is_free(base + usize::from(symbol))) {
                    break base;
                }
            } else {
                occupied += 1;
            }
            slot += 1;
        };
        if start == self.search_from && occupied * 100 >= (slot - start + 1) * CROWDED_PERCENT {
            self.search_from = slot;
        }
        if base + highest >= self.nodes.len() {
            self.nodes.resize(base + highest + 1, FREE);
        }
        base
    }

    fn is_free(&self, slot: usize) -> bool {
        self.nodes.get(slot).is_none_or(|node| node.parent == NONE)
    }
}

fn group_by_symbol(
    keys: &[(&[u16], u32)],
    first: usize,
    last: usize,
    depth: usize,
) -> Vec<(u16, usize, usize)> {
    let mut groups: Vec<(u16, usize, usize)> = Vec::new();
    for (index, (symbols, _)) in keys.iter().enumerate().take(last).skip(first) {
        let symbol = symbols[depth];
        match groups.last_mut() {
            Some(group) if group.0 == symbol => group.2 = index + 1,
            _ => groups.push((symbol, index, index + 1)),
        }
    }
    groups
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn walk(trie: &Trie, symbols: &[u16]) -> Option<u32> {
        let mut at = Trie::ROOT;
        for &symbol in symbols {
            at = trie.child(at, symbol)?;
        }
        trie.id(at)
    }

    #[test]
    fn holds_its_keys_and_nothing_else() {
        let keys: Vec<Vec<u16>> =
            vec![vec![1], vec![1, 2], vec![1, 2, 9], vec![3, 1], vec![700], vec![700, 700]];
        let entries: Vec<(&[u16], u32)> =
            keys.iter().zip(10..).map(|(key, id)| (key.as_slice(), id)).collect();
        let trie = Trie::build(&entries);
        for (key, id) in &entries {
            assert_eq!(walk(&trie, key), Some(*id), "{key:?}");
        }
        for absent in [&[2][..], &[3], &[1, 1], &[700, 1], &[1, 2, 9, 1], &[65535]] {
            assert_eq!(walk(&trie, absent), None, "{absent:?}");
        }
    }

    #[test]
    fn an_empty_trie_finds_nothing() {
        assert_eq!(walk(&Trie::build(&[]), &[1]), None);
    }
}
