//! The program `anwen` as an operator uses it.

use crate::harness::{Anwen, PASSWORD, Person, program, root};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const NEW_PASSWORD: &str = "another long phrase 3";

fn anwen(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .current_dir(directory)
        .env("ANWEN__SERVER__MODELS_DIR", root().join("models"))
        .env("ANWEN_SETUP_PASSWORD", PASSWORD)
        .env("ANWEN_NEW_PASSWORD", NEW_PASSWORD)
        .output()
        .unwrap()
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[track_caller]
fn error_of(output: &Output) -> Value {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("not JSON: {text}"));
    error["error"].clone()
}

#[test]
fn check_config_names_the_key_the_nearest_known_one_and_the_line() {
    let directory = TempDir::new().unwrap();
    succeeded(&anwen(directory.path(), &["check-config"]));
    std::fs::write(directory.path().join("anwen.toml"), "[web]\n\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
    let error = error_of(&anwen(directory.path(), &["check-config"]));
    assert_eq!(error["code"], "invalid_config");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("line 3") && message.contains("`listen`"), "{message}");
}

#[test]
fn the_example_settings_are_good() {
    let directory = TempDir::new().unwrap();
    let example = root().join("anwen.example.toml");
    succeeded(&anwen(directory.path(), &["check-config", "--config", example.to_str().unwrap()]));
}

#[test]
fn an_administrator_is_made_documents_are_added_and_a_question_is_answered_without_a_browser() {
    let directory = TempDir::new().unwrap();
    succeeded(&anwen(directory.path(), &["setup", "--username", "admin"]));
    assert_eq!(
        error_of(&anwen(directory.path(), &["setup", "--username", "other"]))["code"],
        "setup_already_done"
    );
    let folder = directory.path().join("folder");
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    std::fs::write(folder.join("inner/tea.md"), "# Tea\n\nThe oolong is steeped for four minutes.\n")
        .unwrap();
    std::fs::write(folder.join("empty.pdf"), "").unwrap();
    let failed = anwen(directory.path(), &["ingest", folder.to_str().unwrap(), "--kb", "Kitchen", "--json"]);
    assert_eq!(error_of(&failed)["code"], "documents_failed");
    let lines = String::from_utf8_lossy(&failed.stdout);
    assert!(
        lines.contains("\"empty_file\"") && lines.contains("\"path\":\"folder/inner/tea.md\""),
        "{lines}"
    );
    let answer = succeeded(&anwen(
        directory.path(),
        &["ask", "How long is the oolong steeped?", "--kb", "Kitchen", "--json"],
    ));
    let answer: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    assert!(answer["answer"].as_str().unwrap().contains("four minutes"), "{answer}");
    assert_eq!(answer["sources"][0]["document_name"], "tea.md");
    let health = succeeded(&anwen(directory.path(), &["doctor", "--json"]));
    serde_json::from_str::<Value>(health.lines().last().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_out_administrator_recovers_and_a_second_instance_is_refused() {
    let directory = TempDir::new().unwrap();
    succeeded(&anwen(directory.path(), &["setup", "--username", "admin"]));
    let running = Anwen::start().await;
    let person = running.administrator().await;
    let data = running.data_dir();
    let data = data.to_str().unwrap();
    let second = anwen(directory.path(), &["serve", "--data-dir", data]);
    let error = error_of(&second);
    assert_eq!(error["code"], "data_dir_in_use");
    assert!(error["message"].as_str().unwrap().contains("already runs"), "{error}");

    let wrong = json!({"username": "admin", "password": "wrong wrong wrong"});
    for _ in 0..12 {
        person.post("/auth/login", &wrong).await;
    }
    assert_eq!(person.post("/auth/login", &wrong).await.error_code(), "too_many_attempts");
    succeeded(&anwen(directory.path(), &["users", "reset-password", "admin", "--data-dir", data]));
    assert_eq!(person.get("/auth/me").await.status.as_u16(), 401, "old sessions have ended");
    let again = Person::new(&running.base_url());
    let body = json!({"username": "admin", "password": NEW_PASSWORD});
    again.post("/auth/login", &body).await.expect_success();
    again.get("/auth/me").await.expect_success();
    running.stop().await;
}

#[test]
fn parse_prints_a_document_as_text_markdown_and_json() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("page.html");
    std::fs::write(&file, "<html><body><h1>Title</h1><p>The <b>bold</b> claim.</p></body></html>").unwrap();
    let file = file.to_str().unwrap();
    assert!(succeeded(&anwen(directory.path(), &["parse", file])).contains("The bold claim."));
    assert!(
        succeeded(&anwen(directory.path(), &["parse", file, "--format", "markdown"])).contains("# Title")
    );
    let json: Value =
        serde_json::from_str(&succeeded(&anwen(directory.path(), &["parse", file, "--format", "json"])))
            .unwrap();
    assert_eq!(json["media_type"], "text/html");
    std::fs::write(directory.path().join("empty"), "").unwrap();
    let empty = directory.path().join("empty");
    assert_eq!(error_of(&anwen(directory.path(), &["parse", empty.to_str().unwrap()]))["code"], "empty_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_and_tikas_call_read_a_file_alike() {
    let server = Anwen::start().await;
    let person = server.administrator().await;
    let directory = TempDir::new().unwrap();
    let message = "From: a@example.com\r\nTo: b@example.com\r\nSubject: Pump\r\nMessage-ID: <1@x>\r\n\r\nIt runs dry.\r\n";
    for (name, content) in [
        ("notes.md", "---\ntitle: Notes\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
        ("page.html", "<html><body><h1>Pump</h1><ul><li>one</li><li>two</li></ul></body></html>"),
        ("data.json", "[{\"id\": 1, \"name\": \"pump\"}, {\"id\": 2, \"name\": \"fan\"}]"),
        ("mail.eml", message),
        ("手册.txt", "第一章 总则\n\n泵不得空转。\n"),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        for (format, accept) in [("text", "text/plain"), ("markdown", "text/markdown")] {
            let printed = anwen(directory.path(), &["parse", path.to_str().unwrap(), "--format", format]);
            let disposition = format!("attachment; filename=\"x.{}\"", name.rsplit('.').next().unwrap());
            let request = person
                .request(reqwest::Method::PUT, "/tika")
                .header("accept", accept)
                .header("content-disposition", disposition)
                .body(content);
            let answer = person.send(request).await;
            assert_eq!(succeeded(&printed), String::from_utf8_lossy(&answer.bytes), "{name} as {format}");
        }
    }
}
