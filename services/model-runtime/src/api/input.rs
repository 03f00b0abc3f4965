//! What embedding calls take: a text, tokens, or a list of either.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use crate::engine::EmbedInput;

/// The inputs of one embedding request.
///
/// Read without a detour over a tree of values: a request may hold thousands of passages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inputs(pub Vec<EmbedInput>);

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InputsVisitor).map(Self)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Vec<EmbedInput>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("input: a text, a list of texts, a list of token ids or a list of such lists")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![EmbedInput::Text(text.to_owned())])
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(vec![EmbedInput::Text(text)])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut inputs = Vec::new();
        let mut tokens = Vec::new();
        while let Some(item) = items.next_element::<Item>()? {
            match item {
                Item::Input(input) if tokens.is_empty() => inputs.push(input),
                Item::Token(token) if inputs.is_empty() => tokens.push(token),
                _ => return Err(serde::de::Error::custom("input mixes token ids with texts or lists")),
            }
        }
        if !tokens.is_empty() {
            inputs.push(EmbedInput::Tokens(tokens));
        }
        Ok(inputs)
    }
}

/// One element of a list: an input of its own, or a token of the only one.
enum Item {
    Input(EmbedInput),
    Token(u32),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a token id or a list of token ids")
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Input(EmbedInput::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Item, E> {
        Ok(Item::Input(EmbedInput::Text(text)))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Item, E> {
        u32::try_from(number).map(Item::Token).map_err(|_| E::custom("a token id is too large"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = items.next_element::<u32>()? {
            tokens.push(token);
        }
        Ok(Item::Input(EmbedInput::Tokens(tokens)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(input: &Value) -> Option<Vec<EmbedInput>> {
        serde_json::from_str::<Inputs>(&input.to_string()).ok().map(|inputs| inputs.0)
    }

    #[test]
    fn texts_and_tokens_are_read_in_every_shape() {
        let text = |text: &str| EmbedInput::Text(text.to_owned());
        for (input, expected) in [
            (json!("a\nb"), Some(vec![text("a\nb")])),
            (json!(["a", "b"]), Some(vec![text("a"), text("b")])),
            (json!([1, 2]), Some(vec![EmbedInput::Tokens(vec![1, 2])])),
            (json!([[1], [2, 3]]), Some(vec![EmbedInput::Tokens(vec![1]), EmbedInput::Tokens(vec![2, 3])])),
            (json!([]), Some(Vec::new())),
            (json!(["a", 1]), None),
            (json!([1, "a"]), None),
            (json!([-1]), None),
            (json!([1.5]), None),
            (json!({"text": "a"}), None),
        ] {
            assert_eq!(read(&input), expected, "{input}");
        }
    }
}
