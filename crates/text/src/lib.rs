//! What the services know about text as text: normalisation for matching, sentences, language, content
//! terms, labels of articles, and the tokenizer of the bundled embedding. Pure: the one thing read from outside is the
//! tokenizer file.
//!
//! Offsets are byte offsets into the text that was passed in, and always lie on character boundaries.

mod articles;
mod language;
mod minhash;
mod normalize;
mod sentences;
mod terms;
mod tokenizer;

pub use articles::{ArticleLabel, article_label, article_references, leading_number};
pub use language::{Language, is_han, language};
pub use minhash::TextSignature;
pub use normalize::{normalize, simplify};
pub use sentences::{is_list_item, is_table_row, sentences};
pub use terms::terms;
pub use tokenizer::{TokenizerError, TokenizerScratch, UnigramTokenizer};
