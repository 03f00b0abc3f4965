//! The quoting answerer: it selects the sentences of the passages that answer, and never writes one.

mod engine;
mod score;
mod select;
mod units;

pub use engine::ExtractiveEngine;
pub use select::select_quotes;

/// A passage that may be quoted.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    /// The number by which it is cited.
    pub n: u32,
    pub title: &'a str,
    pub text: &'a str,
    /// How well retrieval rated it; higher is better, on any scale.
    pub score: f32,
}

/// Words of a passage, as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub n: u32,
    pub text: String,
    /// The text is rows of a table.
    pub is_table: bool,
}

/// What the parts of a unit's score count for, and where quoting begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// Nearness of the embeddings.
    pub cosine: f32,
    /// The same for a unit in another language than the question's, with which it shares no words.
    pub cosine_across: f32,
    /// The passage's place in retrieval.
    pub prior: f32,
    /// A term of the question in the sentence before or the title, where one in the unit itself counts 1.
    pub before: f32,
    /// The same in the sentence after.
    pub after: f32,
    /// The kind of thing that is asked for is there.
    pub asked: f32,
    /// The unit is in the question's language.
    pub language: f32,
    /// The unit says nothing but what the question says.
    pub empty: f32,
    /// The unit asks and does not tell.
    pub question: f32,
    /// A question for which no unit shows this much evidence is not answered.
    pub threshold: f32,
    /// With this much evidence in the question's own language, other languages are not quoted.
    pub own_language_enough: f32,
    /// A further quote must reach this share of the best one's score.
    pub share: f32,
}

pub const WEIGHTS: Weights = Weights {
    cosine: 0.4,
    cosine_across: 2.4,
    prior: 0.4,
    before: 0.6,
    after: 0.05,
    asked: 0.15,
    language: 0.1,
    empty: 0.5,
    question: 0.3,
    threshold: 0.33,
    own_language_enough: 0.5,
    share: 0.75,
};
