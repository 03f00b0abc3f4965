//! Addresses by which pages have been made to reach where they may not: all refused, and nothing is connected to.

use super::*;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use anwen_contract::search::SearchRules;
use anwen_contract::{Asker, UserId};
use tokio::net::TcpListener;

/// What each address tries, with `PORT` where the port of the listener stands.
const TRICKS: [&str; 84] = [
    // Plain.
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://0.0.0.0:PORT/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
    "http://127.127.127.127:PORT/",
    // Other ways to write a number.
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://017700000001:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://0:PORT/",
    "http://0x7f.1:PORT/",
    "http://0300.0250.0.1/",
    "http://3232235521/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://0251.0376.0251.0376/",
    "http://169.16689662/",
    "http://00000177.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://0x7F000001.:PORT/",
    // Full-width and other digits and dots.
    "http://１２７.０.０.１:PORT/",
    "http://127。0。0。1:PORT/",
    "http://127．0．0．1:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://ｌｏｃａｌｈｏｓｔ:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://loc%61lhost:PORT/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
    "http://127.0.0\u{ad}.1:PORT/",
    "http://local\u{200b}host:PORT/",
    // IPv6, and IPv4 within it.
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[::ffff:0:127.0.0.1]/",
    // Names and passwords, and what is taken for the host.
    "http://public.test@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@public.test/",
    "http://user:word@public.test/",
    "http://public.test#@127.0.0.1:PORT/\\@localhost:PORT/x@",
    "http://127.0.0.1:PORT\\@public.test/",
    "http:\\\\127.0.0.1:PORT\\",
    "http:/127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    // Names that resolve to where they may not.
    "http://inward.test:PORT/",
    "http://mixed.test:PORT/",
    "http://mapped.test:PORT/",
    "http://inward.test.:PORT/",
    "http://xn--inward-9xa.test:PORT/",
    // Other schemes.
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_x",
    "ftp://127.0.0.1/",
    "data:text/html,x",
    "dict://127.0.0.1:PORT/",
];

/// A lookup in which names say what those who hold them want: `rebind.test` a public address first and then this machine.
fn lookup(asked: Arc<AtomicU32>) -> Lookup {
    Arc::new(move |name| {
        let asked = Arc::clone(&asked);
        Box::pin(async move {
            let address = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
            let name = name.trim_end_matches('.').to_owned();
            Ok(match name.as_str() {
                "mixed.test" => vec![address("1.1.1.1"), address("127.0.0.1")],
                "mapped.test" => vec![address("::ffff:127.0.0.1")],
                "rebind.test" if asked.fetch_add(1, Ordering::SeqCst) == 0 => vec![address("192.0.2.1")],
                // A name that is unknown says nothing about the policy: let each be this machine.
                _ => vec![address("127.0.0.1")],
            })
        })
    })
}

fn reader(config: &Config, asked: &Arc<AtomicU32>) -> PageReader {
    let tokens = InternalTokens::new(&[7; 32]).unwrap();
    PageReader::with_lookup(config, &tokens, lookup(Arc::clone(asked))).unwrap()
}

async fn read(reader: &PageReader, url: &str) -> Result<ReadAnswer, PageError> {
    let store = crate::rules::RulesStore::open(None).unwrap();
    assert_eq!(store.current().rules, SearchRules::default());
    let asker =
        Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None };
    let request = ReadRequest { url: url.to_owned(), question: None };
    reader.read(&request, &store.current(), &CallContext::new(asker, "t")).await
}

#[tokio::test]
async fn every_trick_is_refused_and_nothing_is_connected_to() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let reader = reader(&Config::default(), &Arc::default());
    for trick in TRICKS {
        let url = trick.replace("PORT", &port);
        match read(&reader, &url).await {
            Err(PageError::Refused(_)) => {}
            other => panic!("{url}: {:?}", other.map(|answer| answer.text)),
        }
    }
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "something was connected to");
}

#[tokio::test]
async fn a_name_is_checked_by_what_is_connected_to_and_not_by_what_it_said_before() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicU32::new(1));
    // Its second answer is this machine.
    let result = read(&reader(&Config::default(), &asked), &format!("http://rebind.test:{port}/")).await;
    assert!(matches!(result, Err(PageError::Refused(_))), "{:?}", result.map(|answer| answer.text));
}

#[tokio::test]
async fn a_redirect_to_where_pages_may_not_be_read_from_is_not_followed() {
    for target in [
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2852039166/",
        "http://inward.test/",
        "file:///etc/passwd",
        "//169.254.169.254/",
    ] {
        let server = wiremock::MockServer::start().await;
        let answer = wiremock::ResponseTemplate::new(302).insert_header("location", target);
        wiremock::Mock::given(wiremock::matchers::path("/moved")).respond_with(answer).mount(&server).await;
        // The site itself may be read, which is the only machine that may.
        let config = Config { allowed_networks: vec!["127.0.0.1".parse().unwrap()], ..Config::default() };
        let tokens = InternalTokens::new(&[7; 32]).unwrap();
        let inward: Lookup = Arc::new(|_| Box::pin(async { Ok(vec!["10.0.0.7:0".parse().unwrap()]) }));
        let reader = PageReader::with_lookup(&config, &tokens, inward).unwrap();
        let result = read(&reader, &format!("{}/moved", server.uri())).await;
        assert!(
            matches!(result, Err(PageError::Refused(_))),
            "{target}: {:?}",
            result.map(|answer| answer.text)
        );
    }
}
