//! Files that ask for a password.

use crate::harness::*;
use crate::on_each_database;
use anwen_contract::knowledge::{Document, DocumentStatus};
use lopdf::{
    Document as Pdf, EncryptionState, EncryptionVersion, Object, Permissions, Stream, StringFormat,
    dictionary,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

const PASSWORD: &str = "Zebra-passwort-4711";

/// A page that says something, locked with a user's password.
fn locked_pdf() -> Vec<u8> {
    let mut pdf = Pdf::with_version("1.5");
    let tree = pdf.new_object_id();
    let font =
        pdf.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" });
    let content = b"BT /F1 12 Tf 1 0 0 1 50 700 Tm (The pump needs service every 500 hours.) Tj ET".to_vec();
    let content = pdf.add_object(Stream::new(dictionary! {}, content));
    let page = pdf.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content,
        "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
        "MediaBox" => vec![0.into(), 0.into(), 600.into(), 800.into()],
    });
    let pages = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    pdf.objects.insert(tree, pages.into());
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    pdf.trailer.set("Root", catalog);
    let id = Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal);
    pdf.trailer.set("ID", vec![id.clone(), id]);
    let version = EncryptionVersion::V2 {
        document: &pdf,
        owner_password: "owner",
        user_password: PASSWORD,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    pdf.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    bytes
}

fn error_code(document: &Document) -> Option<&str> {
    document.error.as_ref().map(|error| error.code.as_str())
}

on_each_database! {
    async fn a_locked_file_is_read_with_its_password_only(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Locked").await;
        let id = owner.upload_one(base, "locked.pdf", &locked_pdf()).await;
        assert_eq!(error_code(&world.settled(&owner, id).await), Some("encrypted"));
        let path = format!("/v1/documents/{id}/retry");
        let again = owner.call(Method::POST, &path, &json!({"password": "another one"})).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
        assert_eq!(error_code(&world.settled(&owner, id).await), Some("wrong_password"));
        // A password is for one try: without it the file is locked again.
        assert_eq!(owner.send(owner.request(Method::POST, &path)).await.status, StatusCode::ACCEPTED);
        assert_eq!(error_code(&world.settled(&owner, id).await), Some("encrypted"));
        let answer = owner.call(Method::POST, &path, &json!({"password": PASSWORD})).await;
        assert!(!answer.text().contains(PASSWORD));
        let document = world.settled(&owner, id).await;
        assert_eq!((document.status, error_code(&document)), (DocumentStatus::Indexed, None));
    }

    async fn what_cannot_be_read_under_a_stricter_policy_answers_no_more(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Strict").await;
        let id = owner.upload_one(base, "locked.pdf", &locked_pdf()).await;
        world.settled(&owner, id).await;
        let retry = format!("/v1/documents/{id}/retry");
        owner.call(Method::POST, &retry, &json!({"password": PASSWORD})).await;
        world.settled(&owner, id).await;
        assert!(!owner.found("pump service").await.is_empty());
        let words = json!({"desensitisation": {"mode": "mask", "kinds": ["word"], "words": ["pump"]}});
        let changed = owner.call(Method::PATCH, &format!("/v1/knowledge-bases/{base}"), &words).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        // The password is forgotten, so the file cannot be read under the new policy.
        world.until(|| async { owner.found("pump service").await.is_empty().then_some(()) }).await;
        let document = world.until(|| async {
            let document: Document = owner.get(&format!("/v1/documents/{id}")).await.json();
            (document.status == DocumentStatus::Failed).then_some(document)
        }).await;
        assert_eq!((error_code(&document), document.chunk_count), (Some("encrypted"), 0));
        owner.call(Method::POST, &retry, &json!({"password": PASSWORD})).await;
        assert_eq!(world.settled(&owner, id).await.status, DocumentStatus::Indexed);
        let found = owner.found("service").await;
        assert!(!found.is_empty() && !format!("{found:?}").contains("pump"), "{found:?}");
    }

    async fn a_password_that_is_too_long_is_refused(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Long").await;
        let id = owner.upload_one(base, "locked.pdf", &locked_pdf()).await;
        world.settled(&owner, id).await;
        let path = format!("/v1/documents/{id}/retry");
        let body = json!({"password": "x".repeat(1_025)});
        assert_eq!(owner.call(Method::POST, &path, &body).await.code(), "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_never_stored_in_the_clear() {
    let place = Place::new(Backend::Sqlite).await;
    let world = World::at(&place, config(), Background::Running).await;
    let owner = world.somebody();
    let base = owner.new_base("Sealed").await;
    let id = owner.upload_one(base, "locked.pdf", &locked_pdf()).await;
    world.settled(&owner, id).await;
    let asker = owner.asker.clone();
    world.shutdown.begin();
    world.shutdown.finish().await;
    drop(world);
    // Nothing works on jobs now, so that the password stays where it waits.
    let world = World::at(&place, config(), Background::Stopped).await;
    let owner = world.person(asker);
    let path = format!("/v1/documents/{id}/retry");
    let answer = owner.call(Method::POST, &path, &json!({"password": PASSWORD})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    for entry in std::fs::read_dir(place.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
