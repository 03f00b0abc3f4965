//! Baidu Baike: the card of the entry that the query names.

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query};
use crate::results::{Found, Hit};

/// The number of the application that Baike's own cards are asked under.
const APPLICATION: &str = "379020";

pub struct Baike {
    base: Url,
}

impl Baike {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://baike.baidu.com/api/openapi/BaikeLemmaCardApi")? })
    }
}

/// An entry that does not exist is answered with an `errno`, or with an empty object.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default, rename = "abstract")]
    summary: Option<String>,
    #[serde(default)]
    desc: Option<String>,
}

impl Engine for Baike {
    fn ask(&self, query: &Query) -> Ask {
        let parameters = [
            ("scope", "103"),
            ("format", "json"),
            ("appid", APPLICATION),
            ("bk_key", query.text.as_str()),
            ("bk_length", "600"),
        ];
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let (Some(title), Some(url)) = (shape.title.or(shape.key), shape.url) else {
            return Ok(Found::default());
        };
        let snippet = [shape.desc, shape.summary].into_iter().flatten().collect::<Vec<_>>().join("：");
        Ok(Found { hits: vec![Hit { snippet, ..Hit::new(title, url) }], ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn a_card_is_one_result_and_no_card_is_none() {
        let found = read(Kind::Baike, include_str!("fixtures/baike.json")).unwrap();
        assert_eq!(found.hits[0].title, "机械密封");
        assert!(found.hits[0].snippet.starts_with("轴封装置：机械密封是"));
        assert!(read(Kind::Baike, r#"{"errno": 2}"#).unwrap().hits.is_empty());
    }
}
