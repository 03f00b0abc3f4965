//! Search engines in the shapes of real ones, that answer, fail, refuse and flood.

use crate::support::{Proxy, context, request, urls};
use anwen_contract::search::SearchRequest;
use anwen_contract::{ErrorCode, Timestamp};
use anwen_search_proxy::Config;
use anwen_search_proxy::engine::{EngineSettings, Kind};
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Milliseconds of a whole search in these tests: long enough for a busy machine, and what a late engine exceeds.
const DEADLINE_MS: u64 = 1_500;
const TOO_LATE: Duration = Duration::from_secs(60);

/// How a stand-in behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mood {
    Good,
    Late,
    Broken,
    Captcha,
    Limited,
    Flood,
    Garbage,
}

const FAILURES: [Mood; 6] =
    [Mood::Late, Mood::Broken, Mood::Captcha, Mood::Limited, Mood::Flood, Mood::Garbage];
const KINDS: [Kind; 5] = [Kind::Bing, Kind::Duckduckgo, Kind::Sogou, Kind::Brave, Kind::Bocha];

/// Pages that every engine finds, and one that only this one does.
fn pages(kind: Kind) -> Vec<(String, String, String)> {
    let common = (1..=3).map(|n| {
        (
            format!("https://common{n}.example/seal"),
            format!("Seal guide number {n}"),
            format!("Part {n} of how a seal is changed."),
        )
    });
    let own = format!("{kind:?}").to_lowercase();
    let own = (
        format!("https://{own}.example/only"),
        format!("Only {own} knows"),
        format!("A page of {own} alone."),
    );
    common.chain([own]).collect()
}

fn good(kind: Kind) -> ResponseTemplate {
    let rows = pages(kind);
    let html = |body: String| ResponseTemplate::new(200).set_body_raw(body, "text/html; charset=utf-8");
    let each = |row: &dyn Fn(&(String, String, String)) -> String| rows.iter().map(row).collect::<String>();
    match kind {
        Kind::Bing => html(format!(
            "<ol id=b_results>{}</ol>",
            each(&|(url, title, text)| format!(
                "<li class=b_algo><h2><a href='{url}'>{title}</a></h2><div class=b_caption><p>{text}</p></div></li>"
            ))
        )),
        Kind::Duckduckgo => html(each(&|(url, title, text)| {
            format!(
                "<div class=result><a class=result__a href='{url}'>{title}</a><a class=result__snippet>{text}</a></div>"
            )
        })),
        Kind::Sogou => html(format!(
            "<div class=results>{}</div>",
            each(&|(url, title, text)| format!(
                "<div class=vrwrap><h3><a href='/link?url=x'>{title}</a></h3><p class=star-wiki>{text}</p><div data-url='{url}'></div></div>"
            ))
        )),
        Kind::Brave => ResponseTemplate::new(200).set_body_json(json!({"web": {"results": rows
            .iter()
            .map(|(url, title, text)| json!({"url": url, "title": title, "description": text}))
            .collect::<Vec<Value>>()}})),
        _ => {
            ResponseTemplate::new(200).set_body_json(json!({"code": 200, "data": {"webPages": {"value": rows
            .iter()
            .map(|(url, title, text)| json!({"url": url, "name": title, "snippet": text}))
            .collect::<Vec<Value>>()}}}))
        }
    }
}

pub fn answer(kind: Kind, mood: Mood) -> ResponseTemplate {
    match mood {
        Mood::Good => good(kind),
        Mood::Late => good(kind).set_delay(TOO_LATE),
        Mood::Broken => ResponseTemplate::new(500).set_body_string("stack trace"),
        Mood::Captcha => ResponseTemplate::new(302).insert_header("location", "/antispider/?from=x"),
        Mood::Limited => ResponseTemplate::new(429).insert_header("retry-after", "60"),
        Mood::Flood => ResponseTemplate::new(200).set_body_string("<li>".repeat(1_000_000)),
        Mood::Garbage => ResponseTemplate::new(200).set_body_string("{\"surprise\": [<html>"),
    }
}

/// Engines that run, and the settings that lead to them.
pub struct Farm {
    pub servers: Vec<MockServer>,
    pub config: Config,
}

impl Farm {
    pub async fn of(moods: &[Mood]) -> Self {
        let (mut servers, mut engines) = (Vec::new(), Vec::new());
        for (kind, mood) in KINDS.into_iter().zip(moods) {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(answer(kind, *mood)).mount(&server).await;
            engines.push(EngineSettings {
                url: Some(format!("{}/search", server.uri())),
                key: Some("key-1".to_owned().into()),
                ..EngineSettings::new(format!("{kind:?}").to_lowercase(), kind)
            });
            servers.push(server);
        }
        let config = Config {
            engines,
            search_timeout_ms: DEADLINE_MS,
            max_search_answer_bytes: 256 * 1024,
            ..Config::default()
        };
        Self { servers, config }
    }

    pub async fn requests(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        for server in &self.servers {
            counts.push(server.received_requests().await.unwrap().len());
        }
        counts
    }
}

fn states(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    answer["engines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| (text(&report["name"]), text(&report["state"])))
        .collect()
}

#[tokio::test]
async fn what_several_engines_find_comes_first_and_what_one_finds_comes_too() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let answer = Proxy::start(farm.config.clone()).await.search(request("seal guide")).await.unwrap();
    let urls = urls(&answer);
    assert_eq!(urls.len(), 8, "{urls:?}");
    assert!(urls[..3].iter().all(|url| url.contains("common")), "{urls:?}");
    assert_eq!(answer["results"][0]["engines"].as_array().unwrap().len(), 5);
    assert!(states(&answer).iter().all(|(_, state)| state == "ok"));
}

#[tokio::test]
async fn any_two_of_five_may_fail_in_any_way() {
    let mut number = 0;
    for one in 0..5 {
        for other in one + 1..5 {
            let mut moods = [Mood::Good; 5];
            moods[one] = FAILURES[number % FAILURES.len()];
            moods[other] = FAILURES[(number + 1 + number / FAILURES.len()) % FAILURES.len()];
            number += 1;
            let farm = Farm::of(&moods).await;
            let answer = Proxy::start(farm.config.clone()).await.search(request("seal guide")).await.unwrap();
            assert_eq!(urls(&answer).len(), 6, "{moods:?} {answer}");
            for (mood, (name, state)) in moods.iter().zip(states(&answer)) {
                let expected = match mood {
                    Mood::Good => "ok",
                    Mood::Late => "timeout",
                    _ => "error",
                };
                assert_eq!(state, expected, "{name} {mood:?}");
            }
        }
    }
    assert_eq!(number, 10);
}

#[tokio::test]
async fn when_all_fail_the_search_does_and_says_nothing_of_their_words() {
    let farm = Farm::of(&[Mood::Broken, Mood::Captcha, Mood::Limited, Mood::Garbage, Mood::Flood]).await;
    let error = Proxy::start(farm.config.clone()).await.search(request("seal")).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SearchUnavailable);
    assert!(!error.message.contains("stack trace"));
}

#[tokio::test]
async fn an_engine_that_wants_a_person_or_a_pause_is_left_alone() {
    let farm = Farm::of(&[Mood::Captcha, Mood::Limited, Mood::Good]).await;
    let proxy = Proxy::start(Config { cache_bytes: 0, ..farm.config.clone() }).await;
    for query in ["one", "two", "three"] {
        proxy.search(request(query)).await.unwrap();
    }
    assert_eq!(farm.requests().await, [1, 1, 3]);
    let administrator = crate::support::administrator(Vec::new());
    let health = proxy.client().engines(&administrator).await.unwrap();
    let states: Vec<(&str, u64)> =
        health.engines.iter().map(|row| (row.state.as_str(), row.skipped)).collect();
    assert_eq!(states, [("paused", 2), ("paused", 2), ("ok", 0)]);
    assert!(health.engines[0].paused_until.unwrap().as_millis() > Timestamp::now().as_millis());
    assert_eq!(proxy.client().engines(&context()).await.unwrap_err().code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn our_own_limit_keeps_requests_from_an_engine() {
    let mut farm = Farm::of(&[Mood::Good, Mood::Good]).await;
    farm.config.engines[0].per_second = Some(0.01);
    farm.config.engines[0].burst = Some(2);
    let proxy = Proxy::start(Config { cache_bytes: 0, ..farm.config.clone() }).await;
    let mut last = Value::Null;
    for query in ["one", "two", "three", "four"] {
        last = proxy.search(request(query)).await.unwrap();
    }
    assert_eq!(farm.requests().await, [2, 4]);
    assert_eq!(states(&last)[0].1, "limited");
}

#[tokio::test]
async fn those_who_ask_the_same_share_one_search_and_later_ones_its_answer() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let proxy = Proxy::start(farm.config.clone()).await;
    let same = ["Seal  guide", "seal guide", "ＳＥＡＬ guide"];
    let asked = (0..30).map(|n| proxy.search(request(same[n % same.len()])));
    for answer in futures::future::join_all(asked).await {
        assert_eq!(urls(&answer.unwrap()).len(), 8);
    }
    assert_eq!(farm.requests().await, [1; 5]);
    let later = proxy.search(SearchRequest { top_k: Some(2), ..request("seal guide") }).await.unwrap();
    assert_eq!((later["cached"].as_bool(), urls(&later).len()), (Some(true), 2));
    proxy.search(SearchRequest { language: Some("de".to_owned()), ..request("seal guide") }).await.unwrap();
    assert_eq!(farm.requests().await, [2; 5]);
}

#[tokio::test]
async fn only_the_engines_that_are_named_are_asked() {
    let farm = Farm::of(&[Mood::Good; 5]).await;
    let proxy = Proxy::start(farm.config.clone()).await;
    let named = Some(vec!["brave".to_owned(), "sogou".to_owned(), "nobody".to_owned()]);
    proxy.search(SearchRequest { engines: named, ..request("x") }).await.unwrap();
    assert_eq!(farm.requests().await, [0, 0, 1, 1, 0]);
}

#[tokio::test]
async fn a_second_request_takes_the_place_of_one_that_is_late_or_failed() {
    for first in [Mood::Late, Mood::Broken] {
        let mut farm = Farm::of(&[Mood::Good]).await;
        farm.servers[0].reset().await;
        Mock::given(any())
            .respond_with(answer(KINDS[0], first))
            .up_to_n_times(1)
            .mount(&farm.servers[0])
            .await;
        Mock::given(any()).respond_with(answer(KINDS[0], Mood::Good)).mount(&farm.servers[0]).await;
        farm.config.engines[0].hedge_after_ms = Some(50);
        let answer = Proxy::start(farm.config.clone()).await.search(request("x")).await.unwrap();
        assert_eq!(urls(&answer).len(), 4, "{first:?}");
        assert_eq!(farm.requests().await, [2], "{first:?}");
    }
}

#[tokio::test]
async fn the_list_grows_as_engines_answer_and_ends_without_the_late_one() {
    let farm = Farm::of(&[Mood::Good, Mood::Late, Mood::Good]).await;
    let proxy = Proxy::start(farm.config.clone()).await;
    let bearer = {
        use anwen_contract::client::{Audience, TokenSource};
        proxy.tokens.bearer(&crate::support::asker(), Audience::SearchProxy).unwrap()
    };
    let answer = reqwest::Client::new()
        .post(format!("http://{}/v1/search/stream", proxy.address))
        .bearer_auth(bearer)
        .json(&request("seal"))
        .send()
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Whether the late engine has a line of its own depends on which of two equal deadlines is first.
    let (last, growing) = lines.split_last().unwrap();
    let counts: Vec<usize> = growing.iter().map(|line| urls(&line["answer"]).len()).collect();
    assert_eq!(counts[..2], [4, 5], "{text}");
    assert!(growing.iter().all(|line| line["done"] == false) && last["done"] == true, "{text}");
    assert_eq!(
        (urls(&last["answer"]).len(), last["answer"]["engines"][1]["state"].as_str()),
        (5, Some("timeout"))
    );
}
