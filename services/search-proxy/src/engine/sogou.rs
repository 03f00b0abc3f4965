//! Sogou's page of results.

use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, rows_or_shape};
use crate::results::{Found, Hit, published_at};

pub struct Sogou {
    base: Url,
}

impl Sogou {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://www.sogou.com/web")? })
    }
}

impl Engine for Sogou {
    fn ask(&self, query: &Query) -> Ask {
        let page = query.page.to_string();
        let mut parameters = vec![("query", query.text.as_str()), ("ie", "utf8")];
        if query.page > 1 {
            parameters.push(("page", &page));
        }
        if let Some(range) = query.time_range {
            parameters.push(("tsn", range.one_of(["1", "2", "3", "4"])));
        }
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        if page.has("#seccodeForm, #seccodeImage") || page.text("title").contains("搜狗验证") {
            return Err(EngineError::Captcha);
        }
        let hits = page.rows(".results > .vrwrap, .results > .rb", |row| {
            // The link leads through a counter; the address itself is kept for sharing.
            let link = row.attribute("[data-url]", "data-url").or_else(|| row.attribute("h3 a", "href"))?;
            let url = self.base.join(&link).ok()?;
            Some(Hit {
                snippet: row.first_text(&[".star-wiki", ".space-txt", ".ft", ".str-text-info"]),
                published_at: published_at(&row.text(".cite-date")),
                ..Hit::new(row.text("h3 a"), url)
            })
        });
        rows_or_shape(Found { hits, ..Found::default() }, page.has("#noresult_part1_container, .no-result"))
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};

    #[test]
    fn both_kinds_of_rows_are_read() {
        let found = read(Kind::Sogou, include_str!("fixtures/sogou.html")).unwrap();
        let urls: Vec<&str> = found.hits.iter().map(|hit| hit.url.as_str()).collect();
        assert_eq!(urls, ["https://www.pump.example/a", "https://www.sogou.com/link?url=hedJja"]);
        assert_eq!(found.hits[0].snippet, "机械密封的泄漏标准是每分钟三滴。");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2023-11-02T00:00:00.000Z");
    }

    #[test]
    fn the_page_against_programs_is_a_captcha() {
        let page = "<html><title>搜狗验证</title><form id=seccodeForm></form></html>";
        assert_eq!(read(Kind::Sogou, page), Err(EngineError::Captcha));
    }
}
