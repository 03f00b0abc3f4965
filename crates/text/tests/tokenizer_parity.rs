//! The tokenizer against its definition: the `tokenizers` crate reading the same file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use anwen_text::{TokenizerError, TokenizerScratch, UnigramTokenizer};
use tokenizers::Tokenizer;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/embedding/tokenizer.json");

struct Pair {
    ours: UnigramTokenizer,
    reference: Tokenizer,
    scratch: TokenizerScratch,
}

impl Pair {
    fn load() -> Self {
        Self {
            ours: UnigramTokenizer::from_file(FILE).unwrap(),
            reference: Tokenizer::from_file(FILE).unwrap(),
            scratch: TokenizerScratch::default(),
        }
    }

    fn assert_same(&mut self, text: &str) {
        let expected = self.reference.encode_fast(text, false).unwrap();
        let mut ids = Vec::new();
        self.ours.encode_into(text, &mut self.scratch, &mut ids);
        assert_eq!(ids, expected.get_ids(), "{text:?} ({:?})", expected.get_tokens());
    }
}

/// Reproducible random numbers: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

#[test]
fn written_texts() {
    let mut pair = Pair::load();
    for text in [
        "",
        " ",
        "The quick brown fox jumps over the lazy dog.",
        "年假有多少天？员工入职满一年后，每年享有10天带薪年假。",
        "繁體中文的電腦與軟體，臺灣臺北",
        "如何配置 Kubernetes v1.28 集群的 RBAC？",
        "ＦＵＬＬ　ＷＩＤＴＨ：１２３ＡＢＣ，ｶﾀｶﾅ ｶﾞ",
        "ﬁ ﬂ Ⅻ ① ㎏ ㍿ ㋿ ½ ² ™",
        "e\u{301} é ñ n\u{303} q\u{301}\u{327} İstanbul ΣΊΣΥΦΟΣ ß ẞ",
        "漢\u{301}字 漢\u{FE00}字 龍\u{E0100}",
        "\u{1F600} emoji 👩‍👩‍👧‍👦 👍🏽 🇮🇳 ❤️ ©️ 1️⃣",
        "Москва — столица; Η Αθήνα; שלום עולם; مرحبا بالعالم; नमस्ते दुनिया; สวัสดีชาวโลก",
        "日本語の文章を正しく分割できますか？ が が パ",
        "안녕하세요 세계 각 ᄀ가 ㅎㅎ ﾡ",
        "〇一二三 〡〢〣 々 ⼀⼆ 𠀀𠀁 𬭼 豈更車 丽",
        "z̷̢̛a̴l̸g̵o̶ a\u{200d}b a\u{200b}b \u{feff}x \u{ad}soft\u{ad}hyphen",
        "\u{0}\u{1}\u{7f}\u{80}\u{9f} \r\n\t\u{b}\u{2028}\u{10FFFF}\u{FFFD}\u{600}漢",
        "GB/T 19001-2016 P0300 3.1415 1,299.99 ١٢٣ १२३ Ⅷ",
        "snake_case camelCase HTTPServer2 x²+y²=z² [UNK] <s> internationalization",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 ℌ ℝ ﷺ ´ ¨ ˜ ゛",
    ] {
        pair.assert_same(text);
    }
}

#[test]
fn long_words() {
    let mut pair = Pair::load();
    for text in ["x".repeat(5000), "漢字".repeat(3000), "\u{1F600}".repeat(500), "नम".repeat(1500)] {
        pair.assert_same(&text);
    }
}

#[test]
fn every_character_alone_and_between_neighbours() {
    let mut pair = Pair::load();
    // Han that the map changes and a kana and a Latin letter that combine, on both sides of every character.
    let mut text = String::new();
    for c in '\u{0}'..='\u{2FFFF}' {
        for neighbour in ["漢", "か", "e", " "] {
            text.push_str(neighbour);
            text.push(c);
            text.push_str(neighbour);
            text.push(' ');
        }
        if text.len() > 4000 {
            pair.assert_same(&text);
            text.clear();
        }
    }
    pair.assert_same(&text);
}

#[test]
fn random_mixtures_of_blocks() {
    const BLOCKS: [(u32, u32); 24] = [
        (0x20, 0x7E),
        (0x61, 0x7A),
        (0xA0, 0xFF),
        (0x100, 0x24F),
        (0x300, 0x36F),
        (0x370, 0x3FF),
        (0x400, 0x4FF),
        (0x590, 0x6FF),
        (0x900, 0x97F),
        (0xE00, 0xE7F),
        (0x1100, 0x11FF),
        (0x2000, 0x206F),
        (0x20D0, 0x214F),
        (0x2460, 0x24FF),
        (0x3000, 0x30FF),
        (0x3130, 0x33FF),
        (0x4E00, 0x9FFF),
        (0x4E00, 0x5FFF),
        (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF),
        (0xFE00, 0xFE6F),
        (0xFF00, 0xFFEF),
        (0x1F1E6, 0x1F6FF),
        (0x20000, 0x2007F),
    ];
    let mut pair = Pair::load();
    let mut random = Random(42);
    for _ in 0..4000 {
        let blocks: Vec<(u32, u32)> =
            (0..1 + random.below(4)).map(|_| BLOCKS[random.below(BLOCKS.len())]).collect();
        let text: String = (0..random.below(60))
            .map(|_| {
                let (first, last) = blocks[random.below(blocks.len())];
                let offset = random.below((last - first + 1) as usize) as u32;
                char::from_u32(first + offset).unwrap_or(' ')
            })
            .collect();
        pair.assert_same(&text);
    }
}

#[test]
fn counting_agrees_with_encoding() {
    let tokenizer = UnigramTokenizer::from_file(FILE).unwrap();
    for text in ["", "年假有多少天？ How many days?", "🙂🙂 x"] {
        assert_eq!(tokenizer.count_tokens(text), tokenizer.encode(text).len(), "{text:?}");
    }
}

#[test]
fn the_vocabulary_is_that_of_the_file() {
    let tokenizer = UnigramTokenizer::from_file(FILE).unwrap();
    assert_eq!((tokenizer.vocabulary_size(), tokenizer.unknown_id()), (63_998, 0));
}

#[test]
fn files_of_another_shape_are_refused() {
    let with = |from: &str, to: &str| {
        let file = r#"{"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"},
            {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAAA"}]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": "\\p{Han}+"}, "behavior": "Isolated", "invert": false},
                {"type": "Split", "pattern": {"Regex": "[\\p{L}\\p{M}]+|\\p{N}+"}, "behavior": "Removed", "invert": true}]},
            "post_processor": null,
            "model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", -9.0], ["a", -1.0]], "byte_fallback": false}}"#;
        assert!(file.contains(from), "{from}");
        UnigramTokenizer::from_bytes(file.replace(from, to).as_bytes())
    };
    assert!(with("NFKC", "NFKC").is_ok());
    for (from, to) in [
        ("\"Unigram\"", "\"BPE\""),
        ("\"NFKC\"", "\"NFC\""),
        ("\"Removed\"", "\"Isolated\""),
        ("\"byte_fallback\": false", "\"byte_fallback\": true"),
        (r#"[["?", -9.0], ["a", -1.0]]"#, r#"[["?", 90.0], ["a", 91.0]]"#),
    ] {
        assert!(matches!(with(from, to), Err(TokenizerError::Unsupported(_))), "{from} -> {to}");
    }
    for (from, to) in [("\"unk_id\": 0", "\"unk_id\": 7"), ("BAAAAAAAAAAA", "BAAA")] {
        assert!(matches!(with(from, to), Err(TokenizerError::Invalid(_))), "{from} -> {to}");
    }
    assert!(matches!(with("{", "["), Err(TokenizerError::Json(_))));
}
