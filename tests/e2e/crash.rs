//! kill -9 in the middle of an ingest: after a restart every acknowledged document is indexed, exactly once.

use crate::harness::{PASSWORD, Person, program, root};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const DOCUMENTS: usize = 40;
/// How many documents are indexed before each blow.
const BLOWS: [usize; 3] = [3, 11, 23];

/// The program, serving from a directory; killed when dropped.
struct Server {
    process: Child,
    base: String,
}

impl Server {
    async fn start(data: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program())
            .args(["serve", "--data-dir"])
            .arg(data)
            .current_dir(data.parent().unwrap())
            .env("ANWEN__WEB__LISTEN", format!("127.0.0.1:{port}"))
            .env("ANWEN__SERVER__MODELS_DIR", root().join("models"))
            .env("ANWEN__LOG__LEVEL", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, base: format!("http://127.0.0.1:{port}") };
        let started = Instant::now();
        while !reqwest::get(format!("{}/readyz", server.base))
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            assert!(started.elapsed() < START_TIMEOUT, "not ready in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// SIGKILL: nothing can be finished or flushed.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A word that stands in one passage of one document only.
fn mark_of(number: usize) -> String {
    let letters = ["ba", "ko", "du", "fi", "ge", "zu", "ra", "mo"];
    format!("xyl{}{}{}", letters[number / 8 % 8], letters[number % 8], letters[(number * 5 + 3) % 8])
}

fn text_of(number: usize) -> Vec<u8> {
    let mut text = format!("# Machine {number}\n\nIts mark is {}.\n\n", mark_of(number));
    for section in 0..6 {
        text += &format!("## Part {section}\n\n");
        for line in 0..12 {
            text += &format!("Machine {number} part {section} line {line} is adjusted by hand. ");
        }
        text += "\n\n";
    }
    text.into_bytes()
}

async fn indexed(person: &Person, base: &str) -> usize {
    let documents = person.documents(base).await;
    documents.iter().filter(|document| document["status"] == "indexed").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_nine_every_acknowledged_document_is_indexed_exactly_once() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let mut server = Server::start(&data).await;
    let person = Person::new(&server.base);
    person
        .post("/setup", &json!({"username": "admin", "password": PASSWORD, "display_name": ""}))
        .await
        .expect_success();
    person.sign_in("admin").await;
    let base = person.make_base("Machines").await;
    let mut acknowledged = BTreeMap::new();
    for number in 0..DOCUMENTS {
        let answer =
            person.upload(&base, &format!("machine-{number}.md"), text_of(number)).await.expect_success();
        acknowledged.insert(answer["documents"][0]["id"].as_str().unwrap().to_owned(), number);
    }

    for blow in BLOWS {
        let person = Person::new(&server.base);
        person.sign_in("admin").await;
        let started = Instant::now();
        while indexed(&person, &base).await < blow {
            assert!(started.elapsed() < START_TIMEOUT, "too slow");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.kill();
        server = Server::start(&data).await;
    }

    let person = Person::new(&server.base);
    person.sign_in("admin").await;
    let documents = person.documents(&base).await;
    assert_eq!(documents.len(), DOCUMENTS, "no document is lost or doubled");
    for (id, number) in &acknowledged {
        let document = person.wait_for(id).await;
        assert_eq!(document["status"], "indexed", "{document}");
        let chunks = person.get(&format!("/documents/{id}/chunks?limit=200")).await.expect_success();
        let chunks = chunks["items"].as_array().unwrap();
        assert_eq!(chunks.len() as i64, document["chunk_count"].as_i64().unwrap());
        let body = json!({"query": mark_of(*number), "mode": "lexical", "top_k": 100});
        let hits = person.post("/retrieve", &body).await.expect_success();
        let hits = hits["hits"].as_array().unwrap();
        assert_eq!(hits.len(), 1, "the mark of machine {number} must be found exactly once: {hits:?}");
        assert_eq!(hits[0]["document_id"].as_str(), Some(id.as_str()));
    }
    let dense = json!({"query": "Machine 7 part 2", "mode": "dense", "top_k": 100});
    let hits = person.post("/retrieve", &dense).await.expect_success();
    let mut ids: Vec<String> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["chunk_id"].as_str().unwrap().to_owned())
        .collect();
    let found = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), found, "a chunk was found twice");
    assert!(found > 0);
}
