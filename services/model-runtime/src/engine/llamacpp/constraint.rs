//! Answers that follow a JSON schema, a regular expression or a grammar: which tokens may come next.

use llguidance::Matcher;
use llguidance::api::TopLevelGrammar;
use serde_json::{Value, json};
use toktrie::SimpleVob;

use super::sequences::Token;
use super::vocabulary::Vocabulary;
use crate::engine::AnswerFormat;
use crate::error::RuntimeError;

/// White space that may stand between two parts of JSON. Without a bound, a model that is unsure writes blanks for ever.
const JSON_WHITESPACE: &str = r"[ \n\t]{0,16}";
/// Bytes of a compiler's message that the caller is shown.
const MAX_MESSAGE_BYTES: usize = 500;

/// A constraint and how far an answer has come in it.
pub struct Constraint(Matcher);

/// Waits for the mark that ends a model's thinking.
#[derive(Debug)]
pub struct Gate {
    close: Vec<u8>,
    /// The last bytes, as many as the mark has.
    seen: Vec<u8>,
}

impl Gate {
    pub fn new(close: &str) -> Self {
        Self { close: close.as_bytes().to_vec(), seen: Vec::new() }
    }

    /// Takes the next bytes; true when the mark has come.
    pub fn passes(&mut self, bytes: &[u8]) -> bool {
        self.seen.extend_from_slice(bytes);
        let found = self.seen.windows(self.close.len().max(1)).any(|window| window == self.close);
        let keep = self.seen.len().min(self.close.len());
        self.seen.drain(..self.seen.len() - keep);
        found
    }
}

/// Where an answer stands after a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// More may come.
    Open,
    /// It is whole, and nothing may be added.
    Ended,
}

impl Constraint {
    /// The constraint of `format`; `None` for free text. An error names what is wrong with the schema or grammar.
    pub fn new(format: &AnswerFormat, vocabulary: &Vocabulary) -> Result<Option<Self>, RuntimeError> {
        let grammar = match format {
            AnswerFormat::Text => return Ok(None),
            AnswerFormat::Json => TopLevelGrammar::from_json_schema(bounded(json!({"type": "object"}))),
            AnswerFormat::JsonSchema(schema) => TopLevelGrammar::from_json_schema(bounded(schema.clone())),
            AnswerFormat::Regex(pattern) => TopLevelGrammar::from_regex(pattern),
            AnswerFormat::Lark(grammar) => TopLevelGrammar::from_lark(grammar.clone()),
        };
        let factory = vocabulary.constraints().map_err(|cause| refused(&cause))?;
        let mut matcher = Matcher::new(factory.create_parser(grammar));
        match matcher.get_error() {
            Some(cause) => Err(refused(&cause)),
            None => {
                // A grammar that nothing matches shows itself here.
                let mask = matcher.compute_mask_or_eos().map_err(|cause| refused(&cause.to_string()))?;
                if mask.is_zero() {
                    return Err(refused("nothing matches it"));
                }
                Ok(Some(Self(matcher)))
            }
        }
    }

    /// The tokens that may come next.
    pub fn mask(&mut self) -> Result<SimpleVob, String> {
        self.0.compute_mask_or_eos().map_err(|cause| cause.to_string())
    }

    /// Notes that `token` came.
    pub fn accept(&mut self, token: Token) -> Result<Place, String> {
        self.0.consume_token(token.cast_unsigned()).map_err(|cause| cause.to_string())?;
        Ok(if self.0.is_stopped() { Place::Ended } else { Place::Open })
    }

    /// Whether the answer would be whole if it ended here.
    pub fn is_whole(&mut self) -> bool {
        self.0.is_stopped() || self.0.is_accepting().unwrap_or(false)
    }
}

/// `schema` with a bound on white space, unless it brings options of its own.
fn bounded(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.entry("x-guidance").or_insert_with(|| json!({"whitespace_pattern": JSON_WHITESPACE}));
    }
    schema
}

fn refused(cause: &str) -> RuntimeError {
    let end = cause.floor_char_boundary(MAX_MESSAGE_BYTES);
    RuntimeError::Invalid(format!("the answer's format cannot be used: {}", &cause[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_ends_at_its_mark_however_it_is_cut() {
        let mut gate = Gate::new("</think>");
        let passed: Vec<bool> =
            ["a </th", "x</", "think", ">"].iter().map(|part| gate.passes(part.as_bytes())).collect();
        assert_eq!(passed, [false, false, false, true]);
        assert!(Gate::new("</think>").passes(b"so.</think>\n"));
    }

    #[test]
    fn a_schema_with_options_of_its_own_keeps_them() {
        let own = json!({"x-guidance": {"whitespace_flexible": false}});
        assert_eq!(bounded(own.clone()), own);
        assert!(bounded(json!({"type": "object"})).get("x-guidance").is_some());
        assert_eq!(bounded(json!(true)), json!(true));
    }
}
