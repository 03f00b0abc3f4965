//! What stands beside the text: form fields, comments, links, attachments, labels, the outline; passwords.

use super::*;

/// One page with this content and these annotations; `catalog` adds to the catalog.
fn annotated(content: &str, annotations: Vec<Dictionary>, catalog: Dictionary) -> Document {
    let mut document = make(vec![page(content)]);
    let annotations: Vec<Object> =
        annotations.into_iter().map(|annotation| document.add_object(annotation).into()).collect();
    let id = document.page_iter().next().unwrap();
    document.get_dictionary_mut(id).unwrap().set("Annots", annotations);
    add_to_catalog(&mut document, catalog);
    document
}

fn add_to_catalog(document: &mut Document, entries: Dictionary) {
    let catalog = document.catalog_mut().unwrap();
    for (key, value) in &entries {
        catalog.set(key.clone(), value.clone());
    }
}

fn rect(corners: [i64; 4]) -> Object {
    corners.map(Object::Integer).to_vec().into()
}

#[test]
fn values_of_form_fields_stand_beside_their_labels() {
    let field = |name: &str, corners: [i64; 4], value: Object| {
        dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "FT" => "Tx", "Rect" => rect(corners),
            "T" => Object::string_literal(name), "V" => value,
        }
    };
    let content = show("F1", 10, 50, 700, "Name:") + &show("F1", 10, 50, 660, "City:");
    let secret = dictionary! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Tx", "Rect" => rect([100, 610, 300, 626]),
        "Ff" => 1 << 13, "V" => Object::string_literal("hidden"),
    };
    let document = annotated(
        &content,
        vec![
            field("name", [90, 696, 300, 712], Object::string_literal("Li Wei")),
            field(
                "city",
                [90, 656, 300, 672],
                Object::String(b"\xfe\xff\x53\x17\x4e\xac".to_vec(), StringFormat::Literal),
            ),
            secret,
        ],
        dictionary! {},
    );
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(texts(&parsed).join("\n"), "Name: Li Wei\nCity: 北京");
}

#[test]
fn a_value_that_the_page_draws_stands_there_once() {
    let mut document = make(vec![page(&show("F1", 10, 50, 700, "Name:"))]);
    let font = document.add_object(
        dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding" },
    );
    let appearance = document.add_object(Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => rect([0, 0, 210, 16]),
            "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
        },
        b"BT /F1 10 Tf 2 4 Td (Li Wei) Tj ET".to_vec(),
    ));
    let widget = document.add_object(dictionary! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Tx", "Rect" => rect([90, 696, 300, 712]),
        "V" => Object::string_literal("Li Wei"), "AP" => dictionary! { "N" => appearance },
    });
    let id = document.page_iter().next().unwrap();
    document.get_dictionary_mut(id).unwrap().set("Annots", vec![Object::Reference(widget)]);
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(texts(&parsed), ["Name: Li Wei"]);
}

#[test]
fn comments_stand_behind_the_text_and_links_are_kept() {
    let document = annotated(
        &show("F1", 10, 50, 700, "The rule that is commented on."),
        vec![
            dictionary! {
                "Type" => "Annot", "Subtype" => "Highlight", "Rect" => rect([50, 696, 120, 710]),
                "T" => Object::string_literal("Ann"), "Contents" => Object::string_literal("Is this still true?"),
            },
            dictionary! {
                "Type" => "Annot", "Subtype" => "Link", "Rect" => rect([50, 696, 120, 710]),
                "A" => dictionary! { "S" => "URI", "URI" => Object::string_literal("https://example.org/rules") },
            },
            dictionary! {
                "Type" => "Annot", "Subtype" => "Link", "Rect" => rect([50, 696, 120, 710]),
                "A" => dictionary! { "S" => "URI", "URI" => Object::string_literal("javascript:alert(1)") },
            },
        ],
        dictionary! {},
    );
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(texts(&parsed), ["The rule that is commented on.", "[Ann] Is this still true?"]);
    assert_eq!(parsed.blocks[1].kind, BlockKind::Footnote);
    let line = parsed.blocks[1].lines[0];
    assert_eq!((line.x0, line.y0, line.x1, line.y1), (50.0, 90.0, 120.0, 104.0));
    let addresses: Vec<&str> = parsed.links.iter().map(|link| link.address.as_str()).collect();
    assert_eq!(addresses, ["https://example.org/rules"]);
}

#[test]
fn attachments_are_embedded_files() {
    let mut document = make(vec![page(&show("F1", 10, 50, 700, "See the attachment."))]);
    let file = document.add_object(Stream::new(
        dictionary! { "Type" => "EmbeddedFile", "Params" => dictionary! { "Size" => 11 } },
        b"a,b\n1,2\n3,4".to_vec(),
    ));
    let specification = document.add_object(dictionary! {
        "Type" => "Filespec", "F" => Object::string_literal("old.csv"),
        "UF" => Object::string_literal("data.csv"), "EF" => dictionary! { "F" => file },
    });
    let names = vec![
        Object::string_literal("x"),
        specification.into(),
        Object::string_literal("again"),
        specification.into(),
    ];
    add_to_catalog(
        &mut document,
        dictionary! { "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names } } },
    );
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(parsed.embedded.len(), 1);
    assert_eq!(
        (parsed.embedded[0].path.as_str(), parsed.embedded[0].bytes.as_slice()),
        ("data.csv", b"a,b\n1,2\n3,4".as_slice())
    );
}

#[test]
fn a_looped_outline_ends_and_gives_headings_their_levels() {
    let content = show("F1", 10, 50, 700, "Overview of it")
        + &show("F1", 10, 50, 680, "Some text of the first part, which is a sentence.")
        + &show("F1", 10, 50, 640, "Details of it")
        + &show("F1", 10, 50, 620, "Some text of the second part, which is a sentence.");
    let mut document = make(vec![page(&content)]);
    let (root, first, second) =
        (document.new_object_id(), document.new_object_id(), document.new_object_id());
    document.objects.insert(root, dictionary! { "First" => first }.into());
    document.objects.insert(
        first,
        dictionary! { "Title" => Object::string_literal("Overview of it"), "First" => second, "Next" => first }.into(),
    );
    document.objects.insert(
        second,
        dictionary! { "Title" => Object::string_literal("Details of it"), "Next" => first, "First" => root }
            .into(),
    );
    add_to_catalog(&mut document, dictionary! { "Outlines" => root });
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    let headings: Vec<(&str, &BlockKind)> = parsed
        .blocks
        .iter()
        .filter(|block| matches!(block.kind, BlockKind::Heading { .. }))
        .map(|block| (block.text.as_str(), &block.kind))
        .collect();
    assert_eq!(
        headings,
        [
            ("Overview of it", &BlockKind::Heading { level: 1 }),
            ("Details of it", &BlockKind::Heading { level: 2 })
        ]
    );
}

#[test]
fn page_labels_and_metadata_are_read() {
    let text = show("F1", 10, 50, 700, "Some words on a page");
    let mut document = make(vec![page(&text), page(&text), page(&text)]);
    let numbers =
        vec![0.into(), dictionary! { "S" => "r" }.into(), 2.into(), dictionary! { "S" => "D" }.into()];
    add_to_catalog(
        &mut document,
        dictionary! { "PageLabels" => dictionary! { "Nums" => numbers }, "Lang" => Object::string_literal("en-GB") },
    );
    let information = document.add_object(dictionary! {
        "Title" => Object::string_literal("Rules of the house"),
        "Author" => Object::string_literal("Ann"),
        "Keywords" => Object::string_literal("rules, house"),
        "CreationDate" => Object::string_literal("D:20240501103000+08'00'"),
    });
    document.trailer.set("Info", information);
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(parsed.page_labels, ["i", "ii", "1"]);
    assert_eq!(parsed.title.as_deref(), Some("Rules of the house"));
    assert_eq!(parsed.metadata.author.as_deref(), Some("Ann"));
    assert_eq!(parsed.metadata.keywords, ["rules", "house"]);
    assert_eq!(parsed.metadata.created.as_deref(), Some("2024-05-01T10:30:00+08:00"));
    assert_eq!(parsed.metadata.language.as_deref(), Some("en-GB"));
}

fn open(data: Vec<u8>, engine: Engine, password: Option<&str>) -> Result<ParsedDocument, ParseFailure> {
    let options = ParseOptions { engine, password: password.map(str::to_owned), ..ParseOptions::default() };
    parse_bytes(data, "locked.pdf", &options)
}

fn assert_opens_with(locked: &[u8], engine: Engine, passwords: &[&str]) {
    let code = |password| open(locked.to_vec(), engine, password).unwrap_err().code;
    assert_eq!(code(None), FailureCode::Encrypted, "{engine:?}");
    assert_eq!(code(Some("wrong")), FailureCode::WrongPassword, "{engine:?}");
    for password in passwords {
        let document = open(locked.to_vec(), engine, Some(password)).unwrap();
        assert_eq!(texts(&document), ["Secret words on a page"], "{engine:?} {password}");
    }
}

#[test]
fn user_and_owner_passwords_open_a_file_of_old_encryption() {
    let mut document = make(vec![page(&show("F1", 12, 50, 700, "Secret words on a page"))]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: "secret",
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let locked = bytes(document);
    for engine in [Engine::First, Engine::Second] {
        assert_opens_with(&locked, engine, &["secret", "owner"]);
    }
}

#[test]
fn user_and_owner_passwords_open_a_file_of_aes_256() {
    let mut document = make(vec![page(&show("F1", 12, 50, 700, "Secret words on a page"))]);
    let filter: std::sync::Arc<dyn lopdf::encryption::crypt_filters::CryptFilter> =
        std::sync::Arc::new(lopdf::encryption::crypt_filters::Aes256CryptFilter);
    let version = EncryptionVersion::V5 {
        encrypt_metadata: true,
        crypt_filters: std::collections::BTreeMap::from([(b"StdCF".to_vec(), filter)]),
        file_encryption_key: &[7; 32],
        stream_filter: b"StdCF".to_vec(),
        string_filter: b"StdCF".to_vec(),
        owner_password: "owner",
        user_password: "secret",
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let locked = bytes(document);
    assert_opens_with(&locked, Engine::First, &["secret", "owner"]);
}

#[test]
fn a_password_is_not_shown_where_options_are_printed() {
    let options = ParseOptions { password: Some("secret".to_owned()), ..ParseOptions::default() };
    assert!(!format!("{options:?}").contains("secret"));
}
