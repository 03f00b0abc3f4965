//! Baidu's page of results. Its links lead through a counter; the address itself stands in `mu`.

use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED, rows_or_shape};
use crate::results::{Found, Hit, published_at};

pub struct Baidu {
    base: Url,
}

impl Baidu {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://www.baidu.com/s")? })
    }
}

impl Engine for Baidu {
    fn ask(&self, query: &Query) -> Ask {
        let offset = query.offset(RESULTS_ASKED).to_string();
        let mut parameters = vec![("wd", query.text.as_str()), ("rn", "10"), ("ie", "utf-8")];
        if query.page > 1 {
            parameters.push(("pn", &offset));
        }
        Ask::get_with(&self.base, &parameters).header("accept-language", "zh-CN,zh;q=0.9")
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        if page.text("title").contains("安全验证") || page.has("#verify, .mod-vcode") {
            return Err(EngineError::Captcha);
        }
        let hits = page.rows("#content_left > .c-container", |row| {
            // What is paid for carries a mark, and a container for it.
            if row.has(".ec-tuiguang, [data-tuiguang]") {
                return None;
            }
            let url = row.own_attribute("mu").or_else(|| row.attribute("h3 a", "href"))?;
            Some(Hit {
                snippet: row.first_text(&["[class*=content-right]", ".c-abstract", ".c-span-last"]),
                published_at: published_at(&row.text(".c-color-gray2")),
                ..Hit::new(row.text("h3 a"), url)
            })
        });
        let says_none = page.has(".content_none, .nors");
        rows_or_shape(Found { hits, ..Found::default() }, says_none)
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};

    #[test]
    fn results_come_with_their_own_addresses_and_without_advertisements() {
        let found = read(Kind::Baidu, include_str!("fixtures/baidu.html")).unwrap();
        let urls: Vec<&str> = found.hits.iter().map(|hit| hit.url.as_str()).collect();
        assert_eq!(
            urls,
            [
                "https://baike.baidu.com/item/%E6%9C%BA%E6%A2%B0%E5%AF%86%E5%B0%81",
                "https://www.pump.example/seal/12.html"
            ]
        );
        assert_eq!(found.hits[0].title, "机械密封_百度百科");
        assert!(found.hits[1].snippet.starts_with("更换机械密封前"), "{}", found.hits[1].snippet);
        assert_eq!(found.hits[1].published_at.unwrap().to_rfc3339(), "2024-03-05T00:00:00.000Z");
    }

    #[test]
    fn the_captcha_is_told_from_an_empty_page() {
        let captcha = "<html><head><title>百度安全验证</title></head><body></body></html>";
        assert_eq!(read(Kind::Baidu, captcha), Err(EngineError::Captcha));
        let none =
            "<html><body><div id=content_left><div class=content_none>抱歉没有找到</div></div></body></html>";
        assert_eq!(read(Kind::Baidu, none).unwrap().hits.len(), 0);
    }
}
