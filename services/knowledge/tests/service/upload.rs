//! Taking files in.

use crate::harness::{Backend, World};
use crate::on_each_database;
use anwen_contract::knowledge::{Document, DocumentStatus, UploadAnswer};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::Value;

const LEAVE: &[u8] = b"# Annual leave\n\nEvery employee has fifteen days of annual leave.\n";

on_each_database! {
    async fn a_file_is_taken_indexed_and_found(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Handbook").await;
        let id = owner.upload_one(base, "hr/leave.md", LEAVE).await;
        let document = world.settled(&owner, id).await;
        assert_eq!(document.status, DocumentStatus::Indexed, "{:?}", document.error);
        assert_eq!((document.name.as_str(), document.path.as_str()), ("leave.md", "hr/leave.md"));
        assert_eq!((document.media_type.as_str(), document.version, document.progress), ("text/markdown", 1, 1.0));
        assert_eq!(document.bytes, LEAVE.len() as i64);
        let texts = owner.found("How many days of annual leave?").await;
        assert!(texts.iter().any(|text| text.contains("fifteen days")), "{texts:?}");
        let base: Value = owner.get(&format!("/v1/knowledge-bases/{base}")).await.json();
        assert_eq!((base["document_count"].as_i64(), base["chunk_count"].as_i64()), (Some(1), Some(document.chunk_count)));
        assert_eq!((base["status"].as_str(), base["my_role"].as_str()), (Some("ready"), Some("owner")));
    }

    async fn one_bad_file_fails_alone_with_its_reason(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Mixed").await;
        let too_large = vec![b'a'; 300_000];
        let files: [(&str, &[u8]); 7] = [
            ("empty.txt", b""),
            ("../../etc/passwd", b"root is mentioned in this text"),
            ("picture.pdf", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"),
            ("program.pdf", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0"),
            ("large.txt", &too_large),
            ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<<"),
            ("leave.md", LEAVE),
        ];
        let answer = owner.upload(base, &files).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        let documents = answer.json::<UploadAnswer>().documents;
        assert_eq!(documents.len(), files.len());
        let mut outcomes = Vec::new();
        for document in &documents {
            let document = world.settled(&owner, document.id).await;
            outcomes.push((document.path, document.error.map(|error| error.code)));
        }
        let failed = |code: &str| Some(code.to_owned());
        assert_eq!(
            outcomes,
            [
                ("empty.txt".to_owned(), failed("empty_file")),
                ("etc/passwd".to_owned(), None),
                ("picture.pdf".to_owned(), failed("damaged_file")),
                ("program.pdf".to_owned(), failed("unsupported_media_type")),
                ("large.txt".to_owned(), failed("file_too_large")),
                ("cut.pdf".to_owned(), failed("damaged_file")),
                ("leave.md".to_owned(), None),
            ]
        );
    }

    async fn what_cannot_be_taken_says_why(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Strict").await;
        let too_large = vec![b'a'; 300_000];
        let answer = owner.upload(base, &[("large.txt", &too_large)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "file_too_large"));
        assert_eq!(owner.upload(base, &[]).await.code(), "invalid_request");
        let path = format!("/v1/knowledge-bases/{base}/documents");
        assert_eq!(owner.call(Method::POST, &path, &Value::Null).await.code(), "invalid_request");
        let list: Value = owner.get(&path).await.json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(0));
    }

    async fn without_a_path_the_files_own_name_counts(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Named").await;
        let form = Form::new()
            .part("file", Part::bytes(LEAVE).file_name("plain.md"))
            .part("file", Part::bytes(b"other words".as_slice()).file_name("员工 手册.txt"));
        let request = owner.request(Method::POST, &format!("/v1/knowledge-bases/{base}/documents")).multipart(form);
        let answer = owner.send(request).await.json::<UploadAnswer>();
        let names: Vec<&str> = answer.documents.iter().map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["plain.md", "员工 手册.txt"]);
    }

    async fn the_same_bytes_are_taken_once(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Once").await;
        let first = owner.upload_one(base, "a.md", LEAVE).await;
        let again = owner.upload(base, &[("copy/of/a.md", LEAVE)]).await.json::<UploadAnswer>();
        assert_eq!(again.documents[0].duplicate_of, Some(first));
        let other = owner.new_base("Other").await;
        let elsewhere = owner.upload(other, &[("a.md", LEAVE)]).await.json::<UploadAnswer>();
        assert_eq!(elsewhere.documents[0].duplicate_of, None);
        // Together they are one document too.
        let text: &[u8] = b"Uploaded twice at the same moment.";
        let owner = &owner;
        let paths = ["left.txt", "right.txt"];
        let answers = paths.map(|path| async move { owner.upload(base, &[(path, text)]).await });
        let answers = futures::future::join_all(answers).await;
        let duplicates: Vec<_> = answers.iter().map(|answer| answer.json::<UploadAnswer>().documents[0].duplicate_of).collect();
        assert_eq!(duplicates.iter().flatten().count(), 1, "{duplicates:?}");
    }

    async fn a_new_version_takes_over_when_it_is_complete(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Versions").await;
        let id = owner.upload_one(base, "leave.md", LEAVE).await;
        world.settled(&owner, id).await;
        world.model.is_away.store(true, std::sync::atomic::Ordering::SeqCst);
        let newer = b"# Annual leave\n\nEvery employee has twenty days of annual leave.\n";
        assert_eq!(owner.upload_one(base, "leave.md", newer).await, id);
        let meanwhile: Document = owner.get(&format!("/v1/documents/{id}")).await.json();
        assert_eq!(meanwhile.version, 1);
        assert!(!meanwhile.status.is_final());
        assert!(owner.found("annual leave").await.iter().any(|text| text.contains("fifteen")));
        world.model.is_away.store(false, std::sync::atomic::Ordering::SeqCst);
        let document = world.settled(&owner, id).await;
        assert_eq!((document.version, document.status), (2, DocumentStatus::Indexed), "{:?}", document.error);
        let texts = owner.found("annual leave").await;
        assert!(texts.iter().any(|text| text.contains("twenty")) && !texts.iter().any(|text| text.contains("fifteen")), "{texts:?}");
        let versions: Value = owner.get(&format!("/v1/documents/{id}/versions")).await.json();
        let serving: Vec<bool> = versions["items"].as_array().unwrap().iter().map(|version| version["serving"].as_bool().unwrap()).collect();
        assert_eq!(serving, [true, false]);
        let old = owner.get(&format!("/v1/documents/{id}/content?version=1")).await;
        assert_eq!(old.body, LEAVE);
    }
}
