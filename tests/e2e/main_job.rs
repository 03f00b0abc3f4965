//! The main job: upload, ask in either language, and follow a citation to its page.

use crate::harness::{Anwen, root, text_of};
use anwen_contract::chat::{AnswerEvent, Outcome, Source};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const HANDBOOK: &str = "# 员工手册\n\n## 休假\n\n员工入职满一年后，每年享有十五天带薪年假。未休的年假可以顺延到次年三月底。\n\n\
    ## 报销\n\n差旅报销单须在返回后十个工作日内提交，逾期不予受理。\n";
const MANUAL: &str = "# Pump manual\n\n## Fault codes\n\nFault code E-204 means that the coolant pressure is too low. \
    Check the inlet valve and refill the coolant before the next start.\n\n## Maintenance\n\n\
    The filter is replaced every 500 operating hours.\n";

fn sources(events: &[AnswerEvent]) -> Vec<Source> {
    let found = events.iter().find_map(|event| match event {
        AnswerEvent::Sources { items, .. } => Some(items.clone()),
        _ => None,
    });
    found.expect("no sources event")
}

fn outcome(events: &[AnswerEvent]) -> Outcome {
    match events.last() {
        Some(AnswerEvent::Done { outcome, .. }) => *outcome,
        other => panic!("the stream ended with {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_in_either_language_is_answered_with_a_citation_of_the_right_document() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Handbook").await;
    assert_eq!(person.add(&base, "手册.md", HANDBOOK.into()).await["status"], "indexed");
    assert_eq!(person.add(&base, "manual.md", MANUAL.into()).await["status"], "indexed");

    for (question, document, fact) in [
        ("入职满一年后有多少天年假？", "手册.md", "十五天"),
        ("What does fault code E-204 mean?", "manual.md", "coolant pressure is too low"),
    ] {
        let events = person.ask(&[&base], question).await;
        let text = text_of(&events);
        assert_eq!(outcome(&events), Outcome::Quoted, "{text}");
        assert!(text.contains(fact), "{text}");
        let cited = sources(&events).into_iter().find(|source| text.contains(&format!("[{}]", source.n)));
        let cited = cited.expect("nothing is cited");
        assert_eq!(cited.document_name.as_deref(), Some(document));
        let chunk = person.get(&format!("/chunks/{}", cited.chunk_id.unwrap())).await.expect_success();
        assert!(chunk["text"].as_str().unwrap().contains(fact));
        let names: Vec<&str> = events.iter().map(AnswerEvent::name).collect();
        let position = |name: &str| names.iter().position(|found| *found == name).unwrap_or(usize::MAX);
        assert_eq!(position("message"), 0, "{names:?}");
        assert!(position("sources") < position("delta"), "{names:?}");
        assert!(position("delta") < position("citations"), "{names:?}");
        assert_eq!(names.last(), Some(&"done"), "{names:?}");
    }
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_documents_do_not_say_is_said_to_be_missing() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Handbook").await;
    person.add(&base, "手册.md", HANDBOOK.into()).await;
    let events = person.ask(&[&base], "木星有多少颗卫星？").await;
    assert_eq!(outcome(&events), Outcome::NotFound, "{}", text_of(&events));
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pdf_of_the_samples_is_cited_by_page_and_box_and_its_original_is_served_in_ranges() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Samples").await;
    let library = root().join("samples/library");
    let pdf = std::fs::read_dir(library)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "pdf"))
        .expect("a PDF among the samples");
    let bytes = std::fs::read(&pdf).unwrap();
    let document = person.add(&base, "sample.pdf", bytes.clone()).await;
    assert_eq!(document["status"], "indexed", "{document}");
    assert_eq!(document["media_type"], "application/pdf");
    let id = document["id"].as_str().unwrap();
    let pages = document["pages"].as_i64().unwrap();

    let chunks = person.get(&format!("/documents/{id}/chunks?limit=200")).await.expect_success();
    let chunks = chunks["items"].as_array().unwrap();
    assert_eq!(chunks.len() as i64, document["chunk_count"].as_i64().unwrap());
    for chunk in chunks {
        let boxes = chunk["boxes"].as_array().unwrap();
        assert!(!boxes.is_empty(), "a chunk of a PDF without boxes: {chunk}");
        for part in boxes {
            let page = part["page"].as_i64().unwrap();
            assert!((1..=pages).contains(&page));
            assert!(part["x0"].as_f64().unwrap() < part["x1"].as_f64().unwrap(), "{part}");
            assert!(part["y0"].as_f64().unwrap() < part["y1"].as_f64().unwrap(), "{part}");
        }
    }

    let content = format!("/documents/{id}/content");
    let whole = person.get(&content).await;
    assert_eq!(whole.bytes, bytes);
    let part = person.send(person.request(Method::GET, &content).header("range", "bytes=0-4")).await;
    assert_eq!((part.status, part.bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"%PDF-"[..]));
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_replaces_the_old_one_and_a_deleted_document_is_gone_from_answers() {
    let mut anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Policies").await;
    let first =
        person.add(&base, "policy.md", b"# Travel\n\nThe meal allowance is 60 yuan a day.\n".to_vec()).await;
    let second =
        person.add(&base, "policy.md", b"# Travel\n\nThe meal allowance is 95 yuan a day.\n".to_vec()).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["version"], 2);
    let texts = |hits: &[Value]| hits.iter().map(|hit| hit["text"].to_string()).collect::<String>();
    let hits = person.retrieve("What is the meal allowance?").await;
    assert!(texts(&hits).contains("95 yuan") && !texts(&hits).contains("60 yuan"), "{hits:?}");

    person.sign_in("admin").await;
    let id = second["id"].as_str().unwrap();
    person.delete(&format!("/documents/{id}")).await.expect_success();
    assert!(person.retrieve("What is the meal allowance?").await.is_empty());
    anwen.restart().await;
    let person = crate::harness::Person::new(&anwen.base_url());
    person.sign_in("admin").await;
    assert!(person.retrieve("What is the meal allowance?").await.is_empty());
    assert_eq!(person.get(&format!("/documents/{id}")).await.status, StatusCode::NOT_FOUND);
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_found_exactly() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Codes").await;
    for (name, text) in [
        ("p0300.md", "# Engine\n\nP0300 is a random misfire in several cylinders.\n"),
        ("p0301.md", "# Engine\n\nP0301 is a misfire in cylinder 1.\n"),
        ("iso.md", "# 质量\n\n本公司按 GB/T 19001-2016 建立质量管理体系。\n"),
        ("release.md", "# Releases\n\nThe import was repaired in v1.2.3 of the program.\n"),
        ("other.md", "# Releases\n\nThe export was repaired in v1.2.4 of the program.\n"),
    ] {
        assert_eq!(person.add(&base, name, text.into()).await["status"], "indexed");
    }
    for (query, document) in [
        ("P0300", "p0300.md"),
        ("p0301", "p0301.md"),
        ("GB/T 19001-2016", "iso.md"),
        ("GB/T19001-2016", "iso.md"),
        ("v1.2.3", "release.md"),
    ] {
        let hits = person.retrieve(query).await;
        assert_eq!(hits[0]["document_name"], document, "{query}: {hits:?}");
    }
    let body = json!({"query": "P0300", "mode": "lexical"});
    let hits = person.post("/retrieve", &body).await.expect_success();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 1, "only the exact code is a lexical hit: {hits}");
    anwen.stop().await;
}
