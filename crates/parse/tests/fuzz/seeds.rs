//! The files that inputs are made from: small ones of every format made here, the sample library, and any folders.

mod made;

use std::collections::BTreeMap;
use std::path::Path;

use crate::random::Random;

/// Larger files are left out.
const MAX_SEED_BYTES: u64 = 8 * 1024 * 1024;
/// Files of a folder that are read at most.
const MAX_FILES: usize = 5_000;
/// A file of this size is chosen half as often (and so on with the square root) as an empty one.
const HALF_CHANCE_BYTES: f64 = 16.0 * 1024.0;

pub struct Seed {
    pub file_name: String,
    /// Files with the same name ending.
    pub family: String,
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(file_name: String, bytes: Vec<u8>) -> Self {
        let family = file_name.rsplit_once('.').map_or("none", |(_, ending)| ending).to_ascii_lowercase();
        Self { file_name, family, bytes }
    }
}

#[derive(Default)]
pub struct Seeds {
    pub all: Vec<Seed>,
    families: BTreeMap<String, Vec<usize>>,
    /// Running sums of the chances of all files.
    chances: Vec<f64>,
}

impl Seeds {
    /// The built-in files and those under the folders, of at most `max_bytes` each.
    pub fn load(folders: &[impl AsRef<Path>], max_bytes: u64) -> Self {
        let mut seeds = Self::default();
        made::files().into_iter().for_each(|(name, bytes)| seeds.add(Seed::new(name.to_owned(), bytes)));
        for folder in folders {
            let mut files = Vec::new();
            collect(folder.as_ref(), &mut files);
            files.sort();
            for path in files {
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let fits = path.metadata().is_ok_and(|about| about.len() <= max_bytes.min(MAX_SEED_BYTES));
                if fits && let Ok(bytes) = std::fs::read(&path) {
                    seeds.add(Seed::new(name, bytes));
                }
            }
        }
        seeds
    }

    fn add(&mut self, seed: Seed) {
        let chance = 1.0 / (1.0 + seed.bytes.len() as f64 / HALF_CHANCE_BYTES * 3.0).sqrt();
        self.chances.push(self.chances.last().copied().unwrap_or(0.0) + chance);
        self.families.entry(seed.family.clone()).or_default().push(self.all.len());
        self.all.push(seed);
    }

    pub fn families(&self) -> usize {
        self.families.len()
    }

    /// Half the time any file, small ones more often; half the time a file of any family, so that rare families have
    /// their turn.
    pub fn choose(&self, random: &mut Random) -> usize {
        if random.one_in(2) {
            let family = random.below(self.families.len());
            let members = self.families.values().nth(family).map_or(&[][..], Vec::as_slice);
            // Two tries, the smaller one: large files cost the time of many small ones.
            let (one, other) = (*random.pick(members), *random.pick(members));
            return if self.all[one].bytes.len() <= self.all[other].bytes.len() { one } else { other };
        }
        let total = self.chances.last().copied().unwrap_or(0.0);
        let at = (random.next() >> 11) as f64 / (1u64 << 53) as f64 * total;
        self.chances.partition_point(|&sum| sum <= at).min(self.all.len() - 1)
    }

    /// A file of the same family, perhaps the same one.
    pub fn relative(&self, random: &mut Random, seed: &Seed) -> &Seed {
        match self.families.get(&seed.family) {
            Some(members) => &self.all[*random.pick(members)],
            None => random.pick(&self.all),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if files.len() >= MAX_FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, files),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}
