//! Models as one file.

use std::collections::BTreeMap;

use anwen_models::{ModelName, Paths, Recipe};

use crate::support::{Workplace, gguf};

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

/// A store with the model `m`, and that model as an archive.
fn exported() -> (Workplace, Vec<u8>) {
    let workplace = Workplace::new();
    let digest = workplace.upload(&gguf("a", 5000));
    let recipe = Recipe {
        files: BTreeMap::from([("m.gguf".to_owned(), digest)]),
        system: Some("Be brief.".to_owned()),
        ..Recipe::default()
    };
    workplace.store.create(&name("m"), &recipe, Paths::Refused, &mut |_| {}).unwrap();
    let mut archive = Vec::new();
    workplace.store.export(&name("m"), &mut archive).unwrap();
    (workplace, archive)
}

#[test]
fn an_archive_brings_the_same_model_to_another_store() {
    let (first, archive) = exported();
    let second = Workplace::new();
    second.store.import(&mut archive.as_slice(), None).unwrap();
    second.store.import(&mut archive.as_slice(), Some(&name("other:v2"))).unwrap();
    assert_eq!(second.names(), ["m", "other:v2"]);
    let digest = |workplace: &Workplace| workplace.store.list()[0].settings.digest.clone();
    assert_eq!(digest(&first), digest(&second));
    assert_eq!(second.store.list()[0].settings.system.as_deref(), Some("Be brief."));
}

#[test]
fn a_damaged_archive_changes_nothing() {
    let (_, archive) = exported();
    let second = Workplace::new();
    let old = second.upload(&gguf("old", 10));
    let recipe = Recipe { files: BTreeMap::from([("m.gguf".to_owned(), old)]), ..Recipe::default() };
    second.store.create(&name("m"), &recipe, Paths::Refused, &mut |_| {}).unwrap();
    let before = second.store.list()[0].settings.digest.clone();
    let in_weights = archive.len() - 4000;
    let mut flipped = archive.clone();
    flipped[in_weights] ^= 1;
    for broken in [&flipped[..], &archive[..in_weights], &archive[..700], b"", b"no archive"] {
        assert!(second.store.import(&mut &*broken, None).is_err(), "{} bytes", broken.len());
        assert_eq!(second.store.list()[0].settings.digest, before);
    }
}

#[test]
fn an_archive_cannot_write_beside_the_store() {
    let (_, archive) = exported();
    let text = String::from_utf8_lossy(&archive).into_owned();
    assert!(text.contains("\"model.gguf\""));
    let position = archive.windows(12).position(|window| window == b"\"model.gguf\"").unwrap();
    let mut evil = archive.clone();
    evil[position + 1..position + 11].copy_from_slice(b"../../x.gg");
    let second = Workplace::new();
    assert!(second.store.import(&mut evil.as_slice(), None).is_err());
    assert!(second.names().is_empty());
}
