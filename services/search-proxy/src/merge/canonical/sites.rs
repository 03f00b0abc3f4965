//! Sites that give one page several addresses, each in its own way. Known ones only: elsewhere such guesses would join what
//! is two.

use url::Url;

/// The key of a page, beginning with its host, where the site is one of those. `host` is without the device, `path` decoded and
/// without a slash at its end.
pub fn known(host: &str, path: &str, url: &Url) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    match host {
        "arxiv.org" | "export.arxiv.org" | "ar5iv.labs.arxiv.org" | "ar5iv.org" => {
            Some(format!("arxiv.org/{}", paper(&parts)?))
        }
        "youtube.com" | "music.youtube.com" => {
            let video = match parts[..] {
                ["watch"] => parameter("v")?,
                ["shorts" | "embed" | "live", video] => video.to_owned(),
                _ => return None,
            };
            Some(format!("youtube.com/watch?v={video}"))
        }
        "youtu.be" => Some(format!("youtube.com/watch?v={}", parts.first()?)),
        "github.com" => repository(&parts).map(|key| format!("github.com/{key}")),
        "item.jd.com" => {
            let item = parts.last().filter(|last| last.ends_with(".html"))?;
            Some(format!("item.jd.com/{item}"))
        }
        "reddit.com" | "old.reddit.com" | "new.reddit.com" | "np.reddit.com" => {
            let at = parts.iter().position(|part| *part == "comments")?;
            // A comment's own address shows the comment.
            let comment = parts.get(at + 3).map(|comment| format!("/{comment}")).unwrap_or_default();
            Some(format!("reddit.com/comments/{}{comment}", parts.get(at + 1)?))
        }
        _ if host == "stackoverflow.com"
            || host.ends_with(".stackexchange.com")
            || host == "superuser.com" =>
        {
            let question = match parts[..] {
                ["questions" | "q", question, ..] if is_number(question) => question,
                _ => return None,
            };
            Some(format!("{host}/questions/{question}"))
        }
        _ if host.starts_with("amazon.") => {
            let at = parts.iter().position(|part| matches!(*part, "dp" | "product"))?;
            Some(format!("{host}/dp/{}", parts.get(at + 1)?))
        }
        _ => None,
    }
}

/// `abs/2406.01234` of every form of a paper, its version left out: the address without one is that of the newest.
fn paper(parts: &[&str]) -> Option<String> {
    let (form, rest) = parts.split_first()?;
    if !matches!(*form, "abs" | "pdf" | "html" | "format" | "ps") {
        return None;
    }
    let id = rest.join("/");
    let id = id.strip_suffix(".pdf").unwrap_or(&id);
    let number = match id.rsplit_once('v') {
        Some((number, version)) if is_number(version) => number,
        _ => id,
    };
    (!number.is_empty()).then(|| format!("abs/{number}"))
}

/// A repository's own page, also where the address names the file that it shows.
fn repository(parts: &[&str]) -> Option<String> {
    match parts[..] {
        [owner, name] => Some(format!("{owner}/{name}").to_ascii_lowercase()),
        [owner, name, "blob", _, file] if file.eq_ignore_ascii_case("readme.md") => {
            Some(format!("{owner}/{name}").to_ascii_lowercase())
        }
        [owner, name, "tree", "main" | "master"] => Some(format!("{owner}/{name}").to_ascii_lowercase()),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::canonical;

    fn key(url: &str) -> String {
        canonical(&url.parse().unwrap()).as_str().to_owned()
    }

    #[test]
    fn every_form_of_a_page_is_that_page() {
        for forms in [
            &[
                "https://arxiv.org/abs/2406.01234v2",
                "http://arxiv.org/pdf/2406.01234",
                "https://ar5iv.labs.arxiv.org/html/2406.01234",
            ][..],
            &["https://arxiv.org/abs/cs/0112017", "https://arxiv.org/pdf/cs/0112017v1.pdf"],
            &[
                "https://www.youtube.com/watch?v=abc&t=10s",
                "https://youtu.be/abc?si=x",
                "https://m.youtube.com/shorts/abc",
            ],
            &[
                "https://github.com/A/b",
                "https://github.com/a/b/?tab=readme-ov-file#install",
                "https://github.com/a/b/blob/main/README.md",
            ],
            &["https://item.jd.com/100.html", "https://item.m.jd.com/product/100.html?utm_source=x"],
            &[
                "https://stackoverflow.com/questions/1/how-to",
                "https://stackoverflow.com/q/1",
                "https://stackoverflow.com/questions/1/how-to/2#2",
            ],
            &["https://www.reddit.com/r/rust/comments/x1/title/", "https://old.reddit.com/comments/x1"],
            &["https://www.amazon.com/A-Pump/dp/B000/ref=sr_1_1", "https://amazon.com/gp/product/B000?th=1"],
        ] {
            assert!(forms.iter().all(|form| key(form) == key(forms[0])), "{forms:?}");
        }
    }

    #[test]
    fn the_site_of_a_known_page_is_that_of_its_host() {
        for (url, site) in [
            ("https://superuser.com/questions/1/x", "superuser.com"),
            ("https://unix.stackexchange.com/q/1", "stackexchange.com"),
            ("https://youtu.be/abc", "youtube.com"),
            ("https://www.amazon.com/dp/B000", "amazon.com"),
            ("https://item.m.jd.com/product/100.html", "jd.com"),
        ] {
            assert_eq!(canonical(&url.parse().unwrap()).site(), site, "{url}");
        }
    }

    #[test]
    fn other_pages_of_these_sites_stay_others() {
        for [one, other] in [
            ["https://arxiv.org/abs/2406.01234", "https://arxiv.org/abs/2406.01235"],
            ["https://arxiv.org/list/cs.CL/new", "https://arxiv.org/list/cs.AI/new"],
            ["https://github.com/a/b/issues/1", "https://github.com/a/b"],
            ["https://github.com/a/b/blob/main/docs/README.md", "https://github.com/a/b"],
            ["https://www.youtube.com/watch?v=abc", "https://www.youtube.com/watch?v=abd"],
            ["https://stackoverflow.com/questions/tagged/rust", "https://stackoverflow.com/questions/1"],
            [
                "https://www.reddit.com/r/rust/comments/x1/title/c1",
                "https://www.reddit.com/r/rust/comments/x1/title/",
            ],
        ] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }
}
