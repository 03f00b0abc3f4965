//! Probabilities of tokens as both interfaces write them.

use serde_json::{Value, json};

use crate::engine::TokenLogprob;

/// The most alternatives that a request may ask for beside each token.
pub(super) const MAX_TOP_LOGPROBS: u8 = 20;

fn one(bytes: &[u8], logprob: f32) -> Value {
    json!({"token": String::from_utf8_lossy(bytes), "logprob": logprob, "bytes": bytes})
}

/// `[{token, logprob, bytes, top_logprobs: [{token, logprob, bytes}]}]`: OpenAI's for chat, and Ollama's.
pub(super) fn entries(logprobs: &[TokenLogprob]) -> Vec<Value> {
    let entry = |token: &TokenLogprob| {
        let mut entry = one(&token.bytes, token.logprob);
        entry["top_logprobs"] = token.top.iter().map(|(bytes, logprob)| one(bytes, *logprob)).collect();
        entry
    };
    logprobs.iter().map(entry).collect()
}

/// OpenAI's older form, of `/v1/completions`: parallel lists, with the place of each token in the text, which begins at
/// `offset` characters.
pub(super) fn legacy(logprobs: &[TokenLogprob], offset: usize) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut at = offset;
    let mut offsets = Vec::with_capacity(logprobs.len());
    for token in logprobs {
        offsets.push(at);
        at += text(&token.bytes).chars().count();
    }
    let top = |token: &TokenLogprob| -> Value {
        token.top.iter().map(|(bytes, logprob)| (text(bytes), json!(logprob))).collect()
    };
    json!({
        "tokens": logprobs.iter().map(|token| text(&token.bytes)).collect::<Vec<_>>(),
        "token_logprobs": logprobs.iter().map(|token| token.logprob).collect::<Vec<_>>(),
        "top_logprobs": logprobs.iter().map(top).collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Vec<TokenLogprob> {
        let token = |bytes: &[u8], logprob: f32| TokenLogprob {
            bytes: bytes.to_vec(),
            logprob,
            top: vec![(bytes.to_vec(), logprob)],
        };
        vec![token("é".as_bytes(), -0.5), token(b"b", -1.0)]
    }

    #[test]
    fn entries_hold_text_bytes_and_alternatives() {
        assert_eq!(
            entries(&tokens())[0],
            json!({"token": "é", "logprob": -0.5, "bytes": [195, 169],
                "top_logprobs": [{"token": "é", "logprob": -0.5, "bytes": [195, 169]}]})
        );
    }

    #[test]
    fn the_older_form_counts_places_in_characters() {
        let legacy = legacy(&tokens(), 3);
        assert_eq!(legacy["text_offset"], json!([3, 4]));
        assert_eq!(legacy["top_logprobs"][1], json!({"b": -1.0}));
    }
}
