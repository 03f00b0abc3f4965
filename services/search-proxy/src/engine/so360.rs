//! 360's page of results (so.com).

use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, rows_or_shape};
use crate::results::{Found, Hit, published_at};

pub struct So360 {
    base: Url,
}

impl So360 {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://www.so.com/s")? })
    }
}

impl Engine for So360 {
    fn ask(&self, query: &Query) -> Ask {
        let page = query.page.to_string();
        let mut parameters = vec![("q", query.text.as_str()), ("ie", "utf-8")];
        if query.page > 1 {
            parameters.push(("pn", &page));
        }
        if let Some(range) = query.time_range {
            parameters.push(("adv_t", range.one_of(["d", "w", "m", "y"])));
        }
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        let title = page.text("title");
        if title.contains("访问异常") || title.contains("安全验证") || page.has("#qcaptcha") {
            return Err(EngineError::Captcha);
        }
        let hits = page.rows("li.res-list", |row| {
            let url = row.attribute("h3 a", "data-mdurl").or_else(|| row.attribute("h3 a", "href"))?;
            Some(Hit {
                snippet: row.first_text(&[".res-list-summary", ".res-desc", ".res-comm-con"]),
                published_at: published_at(&row.text(".gray")),
                ..Hit::new(row.text("h3 a"), url)
            })
        });
        rows_or_shape(Found { hits, ..Found::default() }, page.has("#no-result, .no-result"))
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};

    #[test]
    fn the_address_behind_the_counter_is_taken() {
        let found = read(Kind::So360, include_str!("fixtures/so360.html")).unwrap();
        let urls: Vec<&str> = found.hits.iter().map(|hit| hit.url.as_str()).collect();
        assert_eq!(urls, ["https://www.pump.example/b", "https://plain.example/"]);
        assert_eq!(found.hits[0].snippet, "轴承温升不超过四十度。");
    }

    #[test]
    fn the_page_against_programs_is_a_captcha() {
        assert_eq!(read(Kind::So360, "<title>访问异常页面</title>"), Err(EngineError::Captcha));
    }
}
