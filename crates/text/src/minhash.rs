//! MinHash: how much two texts have in common, from a few numbers of each.
//!
//! Broder, "On the resemblance and containment of documents" (1997): for a random order of all shingles, two sets have
//! the same first shingle with a probability of their Jaccard similarity. [`HASHES`] such orders estimate it with a
//! standard error of at most 0.045. Bands of [`ROWS`] numbers (locality-sensitive hashing) find the pairs worth
//! comparing without comparing all.

use crate::normalize;

/// Characters of one shingle: letters and digits in the form of [`normalize`].
const SHINGLE_CHARS: usize = 5;
/// Numbers of one signature.
pub const HASHES: usize = 128;
/// Numbers of one band: a pair of similarity s shares a band of 21 with probability 1 - (1 - s^6)^21, which is 0.998
/// at 0.8 and 0.08 at 0.4.
const ROWS: usize = 6;
/// A text of fewer shingles says too little to be compared.
pub const MIN_SHINGLES: usize = 40;

/// What a text says, in a form that can be compared and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSignature([u32; HASHES]);

impl TextSignature {
    /// The signature of a text that comes in parts; `None` when it is too short to be compared.
    pub fn new<'t>(parts: impl IntoIterator<Item = &'t str>) -> Option<Self> {
        let mut least = [u32::MAX; HASHES];
        let mut window: [char; SHINGLE_CHARS] = ['\0'; SHINGLE_CHARS];
        let mut characters = 0usize;
        for part in parts {
            for character in normalize(part).chars().filter(|character| character.is_alphanumeric()) {
                window.rotate_left(1);
                window[SHINGLE_CHARS - 1] = character;
                characters += 1;
                if characters >= SHINGLE_CHARS {
                    take(&mut least, hash(&window));
                }
            }
        }
        (characters >= MIN_SHINGLES + SHINGLE_CHARS - 1).then_some(Self(least))
    }

    /// The estimated share of shingles that two texts have in common, 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        let same = self.0.iter().zip(&other.0).filter(|(one, other)| one == other).count();
        same as f64 / HASHES as f64
    }

    /// One number for each band; texts that share none are not alike.
    pub fn bands(&self) -> Vec<u64> {
        let (bands, _) = self.0.as_chunks::<ROWS>();
        bands
            .iter()
            .enumerate()
            .map(|(number, band)| {
                band.iter().fold(mixed(number as u64 + 1), |sum, value| mixed(sum ^ u64::from(*value)))
            })
            .collect()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<u32> = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
        rest.is_empty().then(|| numbers.try_into().ok().map(Self)).flatten()
    }
}

/// Each number of the signature is the least value that one hash function takes over all shingles. The functions are
/// multiply-and-shift with odd multipliers drawn from a fixed sequence.
fn take(least: &mut [u32; HASHES], shingle: u64) {
    let mut multiplier = shingle | 1;
    let mut value = shingle;
    for one in least.iter_mut() {
        // Two mixed words stepped by one another: independent enough for minima, and cheap.
        value = value.wrapping_add(multiplier.rotate_left(23)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        multiplier = multiplier.wrapping_add(0xD1B5_4A32_D192_ED03);
        *one = (*one).min((value >> 32) as u32);
    }
}

fn hash(window: &[char; SHINGLE_CHARS]) -> u64 {
    window
        .iter()
        .fold(0x51_7C_C1_B7_27_22_0A_95, |sum, character| mixed(sum ^ u64::from(u32::from(*character))))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of so many made-up sentences; another seed, another document.
    fn document(seed: u64, sentences: usize) -> Vec<String> {
        let words = [
            "合同",
            "甲方",
            "乙方",
            "设备",
            "交付",
            "验收",
            "付款",
            "期限",
            "责任",
            "培训",
            "系统",
            "数据",
            "质量",
            "检查",
            "report",
            "pump",
            "valve",
            "pressure",
            "maintenance",
            "schedule",
            "operator",
            "safety",
            "training",
            "budget",
        ];
        let mut state = seed;
        let mut next = |bound: usize| {
            state = mixed(state);
            (state % bound as u64) as usize
        };
        (0..sentences)
            .map(|_| {
                (0..12).map(|_| format!("{}{} ", words[next(words.len())], next(50))).collect::<String>()
            })
            .collect()
    }

    fn signature(parts: &[String]) -> TextSignature {
        TextSignature::new(parts.iter().map(String::as_str)).unwrap()
    }

    fn shingles(parts: &[String]) -> std::collections::HashSet<u64> {
        let characters: Vec<char> = parts
            .iter()
            .flat_map(|part| normalize(part).chars().filter(|one| one.is_alphanumeric()).collect::<Vec<_>>())
            .collect();
        characters.windows(SHINGLE_CHARS).map(|window| hash(window.try_into().unwrap())).collect()
    }

    #[test]
    fn the_estimate_is_near_the_similarity() {
        for changed in [0, 2, 5, 10, 20, 40] {
            let one = document(1, 60);
            let mut other = one.clone();
            other.splice(0..changed, document(2, changed));
            let (first, second) = (shingles(&one), shingles(&other));
            let common = first.intersection(&second).count() as f64;
            let exact = common
                / (first.len() + second.len()) as f64
                / (1.0 - common / (first.len() + second.len()) as f64);
            let estimated = signature(&one).similarity(&signature(&other));
            assert!(
                (exact - estimated).abs() < 0.12,
                "{changed} sentences changed: {exact:.3}, estimated {estimated:.3}"
            );
        }
    }

    #[test]
    fn spelling_and_punctuation_do_not_matter() {
        let one = document(3, 20);
        let other: Vec<String> = one.iter().map(|part| part.to_uppercase().replace(' ', "，")).collect();
        assert_eq!(signature(&one), signature(&other));
    }

    #[test]
    fn a_signature_reads_back() {
        let one = signature(&document(4, 10));
        assert_eq!(TextSignature::from_bytes(&one.to_bytes()).as_ref(), Some(&one));
        assert_eq!(TextSignature::from_bytes(&[1, 2, 3]), None);
        assert_eq!(one.bands().len(), HASHES / ROWS);
    }

    #[test]
    fn short_texts_are_not_compared() {
        assert_eq!(TextSignature::new(["同意", "OK"]), None);
    }

    /// 200 documents, each with an edited copy (sentences left out, added, moved, single words changed), and each
    /// with a document of the same vocabulary and form that says something else.
    #[test]
    fn edited_copies_are_told_from_other_documents() {
        const FROM: f64 = 0.8;
        let (mut found, mut missed, mut wrong) = (0, 0, 0);
        for seed in 0..200u64 {
            let original = document(seed * 2 + 100, 40);
            let mut copy = original.clone();
            let kind = seed as usize % 4;
            match kind {
                0 => drop(copy.drain(..2)),
                1 => copy.extend(document(seed + 90_000, 3)),
                2 => copy.swap(3, 30),
                _ => copy
                    .iter_mut()
                    .step_by(10)
                    .for_each(|part| *part = part.replacen("报", "告", 1).replacen("pump", "pumps", 1)),
            }
            let other = document(seed * 2 + 101, 40);
            let (one, two, three) = (signature(&original), signature(&copy), signature(&other));
            let shares_band =
                |a: &TextSignature, b: &TextSignature| a.bands().iter().any(|band| b.bands().contains(band));
            let alike = |a: &TextSignature, b: &TextSignature| shares_band(a, b) && a.similarity(b) >= FROM;
            if alike(&one, &two) {
                found += 1
            } else {
                missed += 1
            }
            wrong += usize::from(alike(&one, &three)) + usize::from(alike(&two, &three));
        }
        let (precision, recall) = (
            f64::from(found) / (f64::from(found) + wrong as f64),
            f64::from(found) / f64::from(found + missed),
        );
        println!(
            "near-duplicates: precision {precision:.3}, recall {recall:.3} over 200 copies and 400 other pairs"
        );
        assert!(precision >= 0.98 && recall >= 0.95, "precision {precision:.3}, recall {recall:.3}");
    }
}
