//! What may leave, what may come in, and who may ask.

use crate::farm::{Farm, Mood};
use crate::support::{Proxy, administrator, asker, context, request, urls};
use anwen_contract::client::CallContext;
use anwen_contract::search::{
    Direction, FilterAction, ReadRequest, SearchRequest, SearchRules, SitePreference, SiteRules, WordList,
};
use anwen_contract::{Asker, ErrorCode, GroupId};
use anwen_search_proxy::Config;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

async fn proxy_with(farm: &Farm, rules: &SearchRules) -> (Proxy, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let rules_file = Some(folder.path().join("rules.json"));
    let proxy = Proxy::start(Config { rules_file, ..farm.config.clone() }).await;
    proxy.set_rules(rules).await;
    (proxy, folder)
}

fn list(category: &str, direction: Direction, action: FilterAction, word: &str) -> WordList {
    WordList { category: category.to_owned(), direction, action, words: vec![word.to_owned()], pinyin: true }
}

/// A port at which every connection is counted.
async fn counted() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    (url, count)
}

#[tokio::test]
async fn nothing_is_connected_to_while_web_search_is_off() {
    let (url, count) = counted().await;
    let off = Config { allowed_networks: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() };
    let proxy = Proxy::start(off.clone()).await;
    assert_eq!(proxy.search(request("pump")).await.unwrap_err().code, ErrorCode::WebSearchDisabled);
    assert_eq!(proxy.read(url.clone()).await.unwrap_err().code, ErrorCode::WebSearchDisabled);
    for path in ["/readyz", "/healthz", "/metrics"] {
        assert_eq!(proxy.get(path, None).await.0, 200, "{path}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // The same calls of a proxy that is on are counted: the count counts.
    let on = Proxy::start(Config { upstream_url: Some(url.parse().unwrap()), ..off }).await;
    assert_eq!(on.search(request("pump")).await.unwrap_err().code, ErrorCode::SearchUnavailable);
    assert!(count.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn nothing_is_connected_to_for_those_who_may_not_or_have_not_agreed() {
    let (url, count) = counted().await;
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        upstream_url: Some(url.parse().unwrap()),
        rules_file: Some(folder.path().join("rules.json")),
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Config::default()
    };
    let proxy = Proxy::start(config).await;
    let group = GroupId::new();
    proxy
        .set_rules(&SearchRules {
            allowed_groups: vec![group],
            confirm_before_sending: true,
            lists: vec![list("deals", Direction::Outgoing, FilterAction::Block, "merger")],
            organisation_words: vec!["凌云计划".to_owned()],
            ..SearchRules::default()
        })
        .await;
    assert_eq!(proxy.search(request("pump")).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(proxy.read(url).await.unwrap_err().code, ErrorCode::Forbidden);
    let member = CallContext::new(Asker { groups: vec![group], ..asker() }, "t");
    let client = proxy.client();
    for (query, confirmed, code) in [
        ("pump", false, ErrorCode::SearchNotConfirmed),
        ("the merger", true, ErrorCode::SearchBlocked),
        ("凌云计划", true, ErrorCode::SearchBlocked),
    ] {
        let request = SearchRequest { confirmed, ..request(query) };
        assert_eq!(client.search(&member, &request).await.unwrap_err().code, code, "{query}");
    }
    let outgoing = client.outgoing(&member, &request("凌云计划的离心泵怎么维护")).await.unwrap();
    assert!(outgoing.needs_confirmation && !outgoing.query.contains("凌云"), "{outgoing:?}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_sent_holds_no_personal_data_and_no_word_of_the_organisation() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let rules = SearchRules { organisation_words: vec!["凌云计划".to_owned()], ..SearchRules::default() };
    let (proxy, _folder) = proxy_with(&farm, &rules).await;
    let answer = proxy.search(request("请问凌雲計划的张工13812345678说的离心泵机封标准？")).await.unwrap();
    assert_eq!(answer["redactions"], 2);
    for server in &farm.servers {
        let sent = &server.received_requests().await.unwrap()[0];
        let all = format!("{} {}", sent.url, String::from_utf8_lossy(&sent.body));
        let decoded: String = url::form_urlencoded::parse(all.replace('?', "&").as_bytes())
            .map(|(k, v)| format!("{k}={v} "))
            .collect();
        let seen = format!("{all} {decoded}");
        assert!(seen.contains("离心泵机封标准"), "{seen}");
        for kept in ["凌雲", "凌云", "1381234", "请问"] {
            assert!(!seen.contains(kept), "{kept} in {seen}");
        }
    }
}

#[tokio::test]
async fn results_come_in_as_the_lists_say() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let lists = vec![
        list("a", Direction::Incoming, FilterAction::Drop, "number 1"),
        list("b", Direction::Incoming, FilterAction::Mask, "number 2"),
        list("c", Direction::Incoming, FilterAction::Flag, "number 3"),
    ];
    let sites = SiteRules { block: vec!["brave.example".to_owned()], ..SiteRules::default() };
    let rules = SearchRules { lists, sites, ..SearchRules::default() };
    let (proxy, _folder) = proxy_with(&farm, &rules).await;
    let answer = proxy.search(request("seal guide")).await.unwrap();
    let found = urls(&answer);
    assert!(!found.iter().any(|url| url.contains("common1") || url.contains("brave.example")), "{found:?}");
    let result = |part: &str| {
        answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|hit| hit["url"].as_str().unwrap().contains(part))
            .unwrap()
            .clone()
    };
    assert_eq!(result("common2")["title"], "Seal guide ***");
    assert_eq!(result("common3")["flags"], serde_json::json!(["c"]));

    let blocking = vec![list("d", Direction::Incoming, FilterAction::Block, "seal guide")];
    proxy.set_rules(&SearchRules { lists: blocking, ..SearchRules::default() }).await;
    assert_eq!(proxy.search(request("seal guide")).await.unwrap_err().code, ErrorCode::SearchBlocked);
}

#[tokio::test]
async fn sites_are_preferred_or_the_only_ones() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let prefer = vec![SitePreference { site: "bocha.example".to_owned(), weight: 10.0 }];
    let rules = SearchRules { sites: SiteRules { prefer, ..SiteRules::default() }, ..SearchRules::default() };
    let (proxy, _folder) = proxy_with(&farm, &rules).await;
    assert_eq!(urls(&proxy.search(request("seal")).await.unwrap())[0], "https://bocha.example/only");
    let only = SiteRules { allow: vec!["common2.example".to_owned()], ..SiteRules::default() };
    proxy.set_rules(&SearchRules { sites: only, ..SearchRules::default() }).await;
    assert_eq!(urls(&proxy.search(request("seal")).await.unwrap()), ["https://common2.example/seal"]);
    let read = ReadRequest { url: "https://common1.example/".to_owned(), question: None };
    assert_eq!(proxy.client().read(&context(), &read).await.unwrap_err().code, ErrorCode::SearchBlocked);
}

#[tokio::test]
async fn rules_are_for_administrators() {
    let farm = Farm::of(&[Mood::Good]).await;
    let (proxy, _folder) = proxy_with(&farm, &SearchRules::default()).await;
    let client = proxy.client();
    assert_eq!(client.rules(&context()).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(
        client.set_rules(&context(), &SearchRules::default()).await.unwrap_err().code,
        ErrorCode::Forbidden
    );
    let too_long = SearchRules { organisation_words: vec!["x".repeat(100)], ..SearchRules::default() };
    let refused = client.set_rules(&administrator(Vec::new()), &too_long).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidRequest);
}
