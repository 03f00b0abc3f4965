//! Labelled results of search engines, and engines that answer with them. Shared with the tests that cross services.

use anwen_contract::Timestamp;
use anwen_contract::search::SearchResult;
use anwen_search_proxy::merge::{Contribution, Preferences, is_same_page};
use anwen_search_proxy::results::{Found, Hit};

/// The sets: name and text.
pub const SETS: [(&str, &str); 3] = [
    ("results", include_str!("data/results.tsv")),
    ("held_out", include_str!("data/held_out.tsv")),
    ("unseen", include_str!("data/unseen.tsv")),
];
/// Ranks that the gain is counted to.
pub const DEPTH: usize = 10;
/// Engines: how many of the pages each knows, and how wrong it is about what they are worth.
pub const ENGINES: [(&str, f64, f64); 5] =
    [("a", 0.9, 3.0), ("b", 0.8, 3.5), ("c", 0.8, 4.5), ("d", 0.6, 3.0), ("e", 0.7, 6.0)];

pub struct Question {
    pub text: String,
    pub results: Vec<Labelled>,
}

#[derive(Clone)]
pub struct Labelled {
    /// The question and the letter of the page: equal for results that are one page.
    pub page: (usize, String),
    pub grade: u32,
    pub hit: Hit,
}

pub fn questions(labelled: &str) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for line in labelled.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["?", text] => questions.push(Question { text: text.to_owned(), results: Vec::new() }),
            [page, grade, url, title, snippet] => {
                let number = questions.len();
                questions.last_mut().unwrap().results.push(Labelled {
                    page: (number, page.to_owned()),
                    grade: grade.parse().unwrap(),
                    hit: Hit { snippet: snippet.to_owned(), ..Hit::new(title, url) },
                });
            }
            _ => panic!("not a line of results: {line}"),
        }
    }
    questions
}

/// Numbers that look random and are the same on each run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}

/// What an engine answers: it knows most of the pages, and orders them by what they are worth as it sees it.
fn engine_list(chance: &mut Chance, pool: &[Labelled], known: f64, noise: f64) -> Vec<Labelled> {
    let mut list: Vec<(f64, &Labelled)> = pool
        .iter()
        .filter_map(|labelled| {
            let (is_known, error) = (chance.next() < known, (chance.next() - 0.5) * noise);
            is_known.then_some((f64::from(labelled.grade) + error, labelled))
        })
        .collect();
    list.sort_by(|left, right| right.0.total_cmp(&left.0));
    list.into_iter().take(DEPTH).map(|(_, labelled)| labelled.clone()).collect()
}

/// Normalised discounted cumulative gain, where a page counts where it stands first.
pub fn gain(list: &[&Labelled], pool: &[Labelled]) -> f64 {
    let discounted = |grades: &[u32]| -> f64 {
        let gains = grades.iter().enumerate();
        gains.map(|(at, grade)| (2_f64.powf(f64::from(*grade)) - 1.0) / (at as f64 + 2.0).log2()).sum()
    };
    let mut seen = Vec::new();
    let grades: Vec<u32> = list
        .iter()
        .take(DEPTH)
        .map(|labelled| {
            let is_first = !seen.contains(&&labelled.page);
            seen.push(&labelled.page);
            if is_first { labelled.grade } else { 0 }
        })
        .collect();
    let mut pages: Vec<&Labelled> = Vec::new();
    for labelled in pool {
        if pages.iter().all(|page| page.page != labelled.page) {
            pages.push(labelled);
        }
    }
    let mut ideal: Vec<u32> = pages.iter().map(|labelled| labelled.grade).collect();
    ideal.sort_unstable_by(|left, right| right.cmp(left));
    ideal.truncate(DEPTH);
    discounted(&grades) / discounted(&ideal)
}

/// One question put to all engines.
pub struct Round {
    pub query: String,
    /// Every page that could be found.
    pub pool: Vec<Labelled>,
    pub contributions: Vec<Contribution>,
    /// What each engine's own list gains.
    pub gains: [f64; 5],
}

impl Round {
    pub fn preferences(&self) -> Preferences<'_> {
        Preferences {
            query: &self.query,
            top_k: DEPTH,
            now: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            sites: &[],
            max_per_site: 3,
            prefers_new: false,
        }
    }

    pub fn gain_of(&self, merged: &[SearchResult]) -> f64 {
        let labelled = merged.iter().filter_map(|result| {
            let hit = Hit { snippet: result.snippet.clone(), ..Hit::new(&result.title, &result.url) };
            self.pool.iter().find(|labelled| is_same_page(&labelled.hit, &hit))
        });
        gain(&labelled.collect::<Vec<_>>(), &self.pool)
    }
}

/// Each question of a set, put to engines that err by chance, the same on each run.
pub fn rounds(questions: &[Question]) -> Vec<Round> {
    let mut chance = Chance(7);
    let rounds = questions.iter().enumerate().map(|(number, question)| {
        let mut pool = question.results.clone();
        // Pages about something else, which no engine is spared.
        for step in [3, 7, 11, 19] {
            let other = &questions[(number + step) % questions.len()];
            pool.extend(
                other.results.iter().take(3).map(|labelled| Labelled { grade: 0, ..labelled.clone() }),
            );
        }
        let mut gains = [0.0; 5];
        let contributions = ENGINES.iter().zip(&mut gains).map(|((name, known, noise), gained)| {
            let list = engine_list(&mut chance, &pool, *known, *noise);
            *gained = gain(&list.iter().collect::<Vec<_>>(), &pool);
            let hits = list.into_iter().map(|labelled| labelled.hit).collect();
            let found = Found { hits, ..Found::default() };
            Contribution { engine: (*name).to_owned(), weight: 1.0, found }
        });
        let contributions = contributions.collect();
        Round { query: question.text.clone(), pool, contributions, gains }
    });
    rounds.collect()
}
