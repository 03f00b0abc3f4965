//! Files inside of files become documents.

use crate::harness::{Backend, Person, World};
use crate::on_each_database;
use anwen_contract::knowledge::{Document, DocumentStatus};
use anwen_contract::{DocumentId, KnowledgeBaseId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::{Cursor, Write as _};

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const MAIL: &str = "Received: from a by b\r\nFrom: a@example.com\r\nTo: b@example.com\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\nContent-Type: text/plain\r\n\r\nThe offer is attached.\r\n\
    --X\r\nContent-Type: text/plain; name=\"price.txt\"\r\nContent-Disposition: attachment; filename=\"price.txt\"\r\n\r\n\
    The turbopump costs 4200 crowns.\r\n--X--\r\n";

/// The documents of a knowledge base, by path, once all of them are done.
async fn settled(world: &World, person: &Person<'_>, base: KnowledgeBaseId, query: &str) -> Vec<Document> {
    let path = format!("/v1/knowledge-bases/{base}/documents?limit=100{query}");
    let mut documents = world
        .until(|| async {
            let page: Value = person.get(&path).await.json();
            let documents: Vec<Document> = serde_json::from_value(page["items"].clone()).unwrap();
            documents.iter().all(|document| document.status.is_final()).then_some(documents)
        })
        .await;
    documents.sort_by(|one, other| one.path.cmp(&other.path));
    documents
}

fn paths(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.path.as_str()).collect()
}

/// Uploads and waits for the file itself; what is inside has been made by then.
async fn uploaded(
    world: &World,
    person: &Person<'_>,
    base: KnowledgeBaseId,
    name: &str,
    data: &[u8],
) -> DocumentId {
    let id = person.upload_one(base, name, data).await;
    world.settled(person, id).await;
    id
}

on_each_database! {
    async fn an_attachment_is_a_document_under_its_message(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Mail").await;
        let mail = uploaded(&world, &owner, base, "offer.eml", MAIL.as_bytes()).await;
        let all = settled(&world, &owner, base, "").await;
        assert_eq!(paths(&all), ["offer.eml", "offer.eml/price.txt"]);
        assert_eq!((all[0].parent_id, all[0].child_count), (None, 1));
        assert_eq!((all[1].parent_id, all[1].status), (Some(mail), DocumentStatus::Indexed));
        assert!(owner.found("turbopump crowns").await.iter().any(|text| text.contains("4200")));
        assert_eq!(paths(&settled(&world, &owner, base, "&parent_id=none").await), ["offer.eml"]);
        assert_eq!(paths(&settled(&world, &owner, base, &format!("&parent_id={mail}")).await), ["offer.eml/price.txt"]);
        let stranger = world.somebody();
        assert_eq!(stranger.get(&format!("/v1/documents/{}", all[1].id)).await.code(), "not_found");
    }

    async fn an_archive_is_indexed_without_passages(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Archive").await;
        let inner = zip(&[("deep.txt", b"The deepest valve.")]);
        let data = zip(&[("a/pump.md", b"# Pump\n\nIt moves water."), ("more.zip", &inner)]);
        uploaded(&world, &owner, base, "all.zip", &data).await;
        let all = settled(&world, &owner, base, "").await;
        assert_eq!(paths(&all), ["all.zip", "all.zip/a/pump.md", "all.zip/more.zip", "all.zip/more.zip/deep.txt"]);
        assert_eq!((all[0].status, all[0].chunk_count), (DocumentStatus::Indexed, 0));
        assert!(all.iter().all(|document| document.status == DocumentStatus::Indexed));
        assert_eq!(all[3].parent_id, Some(all[2].id));
    }

    async fn a_new_version_replaces_moves_and_removes_what_is_inside(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Versions").await;
        let first = zip(&[("same.txt", b"never changes"), ("old.txt", b"goes away"), ("edit.txt", b"one"), ("here.txt", b"moves")]);
        uploaded(&world, &owner, base, "all.zip", &first).await;
        let before = settled(&world, &owner, base, "").await;
        let second = zip(&[("same.txt", b"never changes"), ("edit.txt", b"two"), ("there.txt", b"moves"), ("new.txt", b"comes")]);
        uploaded(&world, &owner, base, "all.zip", &second).await;
        let after = settled(&world, &owner, base, "").await;
        let id_of = |documents: &[Document], path: &str| documents.iter().find(|document| document.path == path).unwrap().id;
        assert_eq!(
            paths(&after),
            ["all.zip", "all.zip/edit.txt", "all.zip/new.txt", "all.zip/same.txt", "all.zip/there.txt"]
        );
        for (old, new) in [("same", "same"), ("edit", "edit"), ("here", "there")] {
            let (old, new) = (format!("all.zip/{old}.txt"), format!("all.zip/{new}.txt"));
            assert_eq!(id_of(&before, &old), id_of(&after, &new), "{old}");
        }
        let edited = after.iter().find(|document| document.path.ends_with("edit.txt")).unwrap();
        assert_eq!(edited.version, 2);
        let untouched = after.iter().find(|document| document.path.ends_with("same.txt")).unwrap();
        assert_eq!(untouched.version, 1);
    }

    async fn what_is_inside_moves_and_goes_with_the_file(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Together").await;
        let inner = zip(&[("deep.txt", b"The deepest valve.")]);
        let id = uploaded(&world, &owner, base, "all.zip", &zip(&[("more.zip", &inner)])).await;
        settled(&world, &owner, base, "").await;
        owner.call(Method::PATCH, &format!("/v1/documents/{id}"), &json!({"path": "archive/2024.zip"})).await;
        let moved = settled(&world, &owner, base, "").await;
        assert_eq!(paths(&moved), ["archive/2024.zip", "archive/2024.zip/more.zip", "archive/2024.zip/more.zip/deep.txt"]);
        assert_eq!(owner.delete(&format!("/v1/documents/{id}")).await.status, StatusCode::NO_CONTENT);
        assert!(settled(&world, &owner, base, "").await.is_empty());
        assert_eq!(owner.found("deepest valve").await, Vec::<String>::new());
    }

    async fn what_is_there_already_is_not_made_again(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Duplicates").await;
        uploaded(&world, &owner, base, "pump.txt", b"The pump is known.").await;
        uploaded(&world, &owner, base, "all.zip", &zip(&[("copy.txt", b"The pump is known."), ("a.txt", b"new"), ("b.txt", b"new")])).await;
        let all = settled(&world, &owner, base, "").await;
        assert_eq!(paths(&all), ["all.zip", "all.zip/a.txt", "pump.txt"]);
        let warning = &all[0].warnings[0];
        assert_eq!(warning.code, "embedded_duplicates");
        assert!(warning.message.starts_with("2 of"), "{}", warning.message);
    }

    async fn what_is_nested_too_deep_is_left_out(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Deep").await;
        let mut data = zip(&[("end.txt", b"the end")]);
        for level in 0..4 {
            data = zip(&[(format!("{level}.zip").as_str(), &data)]);
        }
        uploaded(&world, &owner, base, "all.zip", &data).await;
        let all = settled(&world, &owner, base, "").await;
        assert_eq!(all.last().unwrap().path, "all.zip/3.zip/2.zip/1.zip");
        assert_eq!(all.last().unwrap().warnings[0].code, "embedded_left_out");
    }
}
