//! One form for all addresses of a page: without what says how a reader came, on which device, or through whose counter.

mod sites;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// Query parameters that say how a reader came, not what the page is.
const TRACKING: [&str; 66] = [
    "_branch_match_id",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "activetab",
    "bd_vid",
    "bxsign",
    "chksm",
    "cmpid",
    "dclid",
    "depth_1-utm_source",
    "fbclid",
    "feature",
    "fr",
    "from",
    "from_module",
    "from_source",
    "fromid",
    "frommodule",
    "gclid",
    "gclsrc",
    "guccounter",
    "highlight",
    "hmsr",
    "igshid",
    "isappinstalled",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ncid",
    "ops_request_misc",
    "pvareaid",
    "pvid",
    "qz_gdt",
    "rdid",
    "ref",
    "ref_",
    "ref_src",
    "ref_url",
    "refer",
    "referer",
    "referrer",
    "request_id",
    "rut",
    "scene",
    "search_id",
    "search_source",
    "searchid",
    "share_from",
    "share_source",
    "share_token",
    "smid",
    "soc_src",
    "sourcefrom",
    "spm",
    "spm_id_from",
    "srcid",
    "st_source",
    "timestamp_share",
    "trk",
    "weibo_id",
    "wfr",
    "xtor",
    "yclid",
];
const TRACKING_PREFIXES: [&str; 5] = ["utm_", "share_", "hsa_", "pk_", "wt."];
/// First labels of hosts that serve the same pages to other devices.
const DEVICE_LABELS: [&str; 8] = ["www", "m", "mobile", "wap", "amp", "3g", "touch", "wwww"];
/// Files that a directory answers with by itself.
const INDEX_FILES: [&str; 7] =
    ["index.html", "index.htm", "index.shtml", "index.php", "index.jsp", "default.aspx", "default.htm"];
/// Suffixes under which anyone registers names, of two labels.
const SECOND_LEVEL: [&str; 22] = [
    "com.cn",
    "net.cn",
    "org.cn",
    "gov.cn",
    "edu.cn",
    "ac.cn",
    "co.uk",
    "org.uk",
    "ac.uk",
    "gov.uk",
    "com.au",
    "co.jp",
    "ne.jp",
    "or.jp",
    "com.hk",
    "com.tw",
    "org.tw",
    "co.kr",
    "com.br",
    "co.in",
    "com.sg",
    "github.io",
];
/// Addresses within addresses that are followed.
const MAX_UNWRAPPED: usize = 3;

/// The form by which two addresses are known to be one page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Canonical {
    key: String,
    site: String,
}

impl Canonical {
    /// The registered name that the page's host belongs to.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The host without the device that it serves.
    pub fn host(&self) -> &str {
        self.key.split('/').next().unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.key
    }
}

pub fn canonical(url: &Url) -> Canonical {
    let url = unwrapped(url.clone());
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let host = without_device(&host);
    let path = canonical_path(&host, url.path());
    if let Some(key) = sites::known(&host, &path, &url) {
        return Canonical { site: site_of(key.split('/').next().unwrap_or_default()), key };
    }
    let mut pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, value)| !is_tracking(name) && !is_device(name, value))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    pairs.sort();
    let mut key = host.clone();
    if let Some(port) = url.port() {
        key.push_str(&format!(":{port}"));
    }
    key.push_str(&path);
    for (at, (name, value)) in pairs.iter().enumerate() {
        key.push(if at == 0 { '?' } else { '&' });
        key.push_str(&format!("{name}={value}"));
    }
    // The only fragments that choose another page.
    if let Some(fragment) =
        url.fragment().filter(|fragment| fragment.starts_with('!') || fragment.starts_with('/'))
    {
        key.push_str(&format!("#{fragment}"));
    }
    Canonical { site: site_of(&host), key }
}

/// The address that a counter, a mail filter or an AMP cache leads to, where the address itself says so.
pub fn unwrapped(mut url: Url) -> Url {
    for _ in 0..MAX_UNWRAPPED {
        match target(&url) {
            Some(inner) => url = inner,
            None => break,
        }
    }
    url
}

fn target(url: &Url) -> Option<Url> {
    let host = url.host_str()?.trim_start_matches("www.");
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let path = url.path();
    let text = match host {
        "duckduckgo.com" if path == "/l/" => parameter("uddg")?,
        "bing.com" if path == "/ck/a" => {
            let encoded = parameter("u")?;
            let bytes = URL_SAFE_NO_PAD.decode(encoded.strip_prefix("a1")?.trim_end_matches('=')).ok()?;
            String::from_utf8(bytes).ok()?
        }
        "link.zhihu.com" | "link.csdn.net" | "link.juejin.cn" | "gitee.com" | "jianshu.com" => {
            parameter("target").or_else(|| parameter("url"))?
        }
        "out.reddit.com" | "l.facebook.com" | "steamcommunity.com" => {
            parameter("url").or_else(|| parameter("u"))?
        }
        _ if host.starts_with("google.") && path == "/url" => parameter("q").or_else(|| parameter("url"))?,
        _ if host.starts_with("google.") && path.starts_with("/amp/") => {
            amp_target(path.strip_prefix("/amp/")?)
        }
        _ if host.ends_with(".cdn.ampproject.org") => {
            let rest = path.trim_start_matches('/');
            let (kind, rest) = rest.split_once('/')?;
            matches!(kind, "c" | "v" | "a").then_some(())?;
            amp_target(rest)
        }
        _ => return None,
    };
    let inner = Url::parse(&text).ok()?;
    (matches!(inner.scheme(), "http" | "https") && inner.has_host()).then_some(inner)
}

/// `s/host/path` where the page is served by https, `host/path` else.
fn amp_target(rest: &str) -> String {
    match rest.strip_prefix("s/") {
        Some(rest) => format!("https://{rest}"),
        None => format!("http://{rest}"),
    }
}

fn without_device(host: &str) -> String {
    if host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    if host == "wapbaike.baidu.com" {
        return "baike.baidu.com".to_owned();
    }
    // Wikipedia puts the device second: `zh.m.wikipedia.org`.
    let mut labels: Vec<&str> = host.split('.').collect();
    if labels.len() >= 4 && DEVICE_LABELS.contains(&labels[1]) {
        labels.remove(1);
    }
    while labels.len() >= 3 && DEVICE_LABELS.contains(&labels[0]) && !is_suffix(&labels[1..]) {
        labels.remove(0);
    }
    labels.join(".")
}

fn is_suffix(labels: &[&str]) -> bool {
    labels.len() < 2 || (labels.len() == 2 && SECOND_LEVEL.contains(&labels.join(".").as_str()))
}

fn canonical_path(host: &str, path: &str) -> String {
    let mut path = decoded(path);
    if host.ends_with("wikipedia.org") {
        // `/zh-hans/X` and its like are `/wiki/X` in another script.
        let mut parts = path.splitn(3, '/').skip(1);
        if let (Some(first), Some(title)) = (parts.next(), parts.next())
            && first.starts_with("zh-")
        {
            path = format!("/wiki/{title}");
        }
    }
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.last().is_some_and(|last| INDEX_FILES.contains(&last.to_ascii_lowercase().as_str())) {
        segments.pop();
    }
    // Forum programs put a thread's title before its number, or leave it out.
    for at in 1..segments.len() {
        if matches!(segments[at - 1], "threads" | "topic" | "t")
            && let Some((_, number)) = segments[at].rsplit_once('.')
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            segments[at] = number;
        }
    }
    if segments.len() > 1 && segments.last() == Some(&"amp") {
        segments.pop();
    }
    if segments.len() > 1 && segments.first() == Some(&"amp") {
        segments.remove(0);
    }
    let mut path = format!("/{}", segments.join("/"));
    for suffix in [".amp.html", ".amp"] {
        if let Some(stem) = path.strip_suffix(suffix) {
            path = format!("{stem}{}", if suffix == ".amp" { "" } else { ".html" });
        }
    }
    path
}

/// Escapes resolved, where they are text: `%E6%B3%B5` and `泵` are one path.
fn decoded(path: &str) -> String {
    let form = path.replace('+', "%2B");
    url::form_urlencoded::parse(format!("p={}", form.replace('&', "%26")).as_bytes())
        .next()
        .map_or_else(|| path.to_owned(), |(_, value)| value.into_owned())
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || TRACKING.contains(&name.as_str())
}

/// Parameters that ask for the form of a page for another device or for paper, or for its beginning.
fn is_device(name: &str, value: &str) -> bool {
    matches!(
        (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()),
        ("amp", _)
            | ("outputtype", "amp")
            | ("output", "amp")
            | ("view", "mobile" | "amp")
            | ("mobile", "1" | "true")
            | ("platform", "mobile")
            | ("print" | "printable", "1" | "true" | "yes")
            | ("action" | "view" | "output" | "format", "print")
            | ("page" | "pageno", "1")
    )
}

/// Takes tracking parameters out of an address that is shown.
pub fn strip_tracking(url: &mut Url) {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !is_tracking(name))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    if kept.len() != url.query_pairs().count() {
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
    }
}

/// How well an address suits a reader at a desk: https and no form for another device.
pub fn plainness(url: &Url) -> u8 {
    let host = url.host_str().unwrap_or_default();
    let is_for_device = without_device(host) != host && !host.starts_with("www.");
    let is_amp = url.path().ends_with("/amp")
        || url.path().ends_with("/amp/")
        || url.query_pairs().any(|(name, value)| is_device(&name, &value));
    u8::from(url.scheme() == "https") + 2 * u8::from(!is_for_device) + 2 * u8::from(!is_amp)
}

fn site_of(host: &str) -> String {
    if host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    let labels: Vec<&str> = host.split('.').collect();
    let kept = if labels.len() >= 3 && is_suffix(&labels[labels.len() - 2..]) { 3 } else { 2 };
    labels[labels.len().saturating_sub(kept)..].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> String {
        canonical(&url.parse().unwrap()).as_str().to_owned()
    }

    #[test]
    fn addresses_of_one_page_are_equal() {
        let same = [
            ["https://www.a.example/x/", "http://a.example/x"],
            ["https://a.example/x?utm_source=y&id=1", "https://a.example/x?id=1&spm=1.2"],
            ["https://a.example/x?b=2&a=1", "https://a.example/x?a=1&b=2"],
            ["https://a.example/index.html", "https://a.example/"],
            ["https://en.m.wikipedia.org/wiki/Pump", "https://en.wikipedia.org/wiki/Pump#Types"],
            ["https://zh.wikipedia.org/zh-hans/%E6%B3%B5", "https://zh.wikipedia.org/wiki/泵"],
            ["https://wapbaike.baidu.com/item/x", "https://baike.baidu.com/item/x?fr=aladdin"],
            ["https://www.google.com/amp/s/news.example/a/amp/", "https://news.example/a"],
            ["https://news-example.cdn.ampproject.org/c/s/news.example/a", "https://news.example/a?amp=1"],
            ["https://duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Fx&rut=1", "https://a.example/x"],
            [
                "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9zZWFscy5leGFtcGxlL2V4cGxhaW5lZA&ntb=1",
                "https://seals.example/explained",
            ],
            ["https://link.zhihu.com/?target=https%3A//a.example/x", "https://a.example/x"],
            [
                "https://mp.weixin.qq.com/s?__biz=a&mid=1&idx=1&sn=b&chksm=c&scene=21",
                "https://mp.weixin.qq.com/s?__biz=a&mid=1&idx=1&sn=b",
            ],
            ["https://a.example:443/x", "https://A.EXAMPLE./x"],
            ["https://a.example/threads/a-pump.12/#post-3", "https://a.example/threads/12/?amp=1"],
            ["https://a.example/x?page=1", "https://a.example/x?print=1"],
        ];
        for [one, other] in same {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn addresses_of_two_pages_stay_two() {
        let different = [
            ["https://a.example/x?id=1", "https://a.example/x?id=2"],
            ["https://a.example/x", "https://a.example/X"],
            ["https://a.example/x", "https://b.example/x"],
            ["https://a.example:8080/x", "https://a.example/x"],
            ["https://docs.a.example/x", "https://a.example/x"],
            ["https://m.com/x", "https://com/x"],
            ["https://a.example/#!/one", "https://a.example/#!/two"],
            ["https://a.example/a/b", "https://a.example/a%2Bb"],
            ["https://a.example/amp", "https://a.example/"],
        ];
        for [one, other] in different {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn the_site_is_the_name_that_was_registered() {
        let cases = [
            ("https://blog.a.example/", "a.example"),
            ("https://www.gov.cn/", "www.gov.cn"),
            ("https://flk.npc.gov.cn/", "npc.gov.cn"),
            ("https://news.bbc.co.uk/", "bbc.co.uk"),
            ("http://10.0.0.1/", "10.0.0.1"),
        ];
        for (url, site) in cases {
            assert_eq!(canonical(&url.parse().unwrap()).site(), site, "{url}");
        }
    }
}
