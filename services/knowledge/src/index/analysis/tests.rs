use super::*;

fn words(text: &str) -> Vec<String> {
    let analyzer = Analyzer::new();
    analyzer.terms(text).into_iter().map(|term| term.text).collect()
}

fn of_kind(terms: &[Term], kind: TermKind) -> Vec<&str> {
    terms.iter().filter(|term| term.kind == kind).map(|term| term.text.as_str()).collect()
}

#[test]
fn stop_words_are_sorted_for_binary_search() {
    assert!(STOP_WORDS.is_sorted());
}

#[test]
fn english_is_stemmed_without_stop_words() {
    assert_eq!(words("The connections of the Panthers' defenses"), ["connect", "panther", "defens"]);
    assert_eq!(words("the user's state-of-the-art café"), ["user", "state", "art", "cafe"]);
}

#[test]
fn chinese_is_cut_into_words_with_the_short_ones_inside() {
    let analyzer = Analyzer::new();
    let terms = analyzer.terms("中华人民共和国的员工");
    assert_eq!(of_kind(&terms, TermKind::Word), ["中华人民共和国", "的", "员工"]);
    let parts = of_kind(&terms, TermKind::Part);
    assert!(parts.contains(&"人民") && parts.contains(&"共和国"), "{parts:?}");
}

#[test]
fn traditional_and_full_width_meet_simplified_and_half_width() {
    assert_eq!(words("電腦ＰＣ１２"), words("电脑pc12"));
}

#[test]
fn codes_are_whole_and_in_parts() {
    let analyzer = Analyzer::new();
    for (text, code, parts) in [
        ("P0300", "p0300", vec!["0300"]),
        ("GB/T 19001-2016", "gbt19001-2016", vec!["gbt19001"]),
        ("GB/T19001-2016", "gbt19001-2016", vec!["gbt19001", "gb", "19001", "2016"]),
        ("v1.2.3", "v1.2.3", vec!["1.2.3"]),
        ("故障码E-204报警", "e204", vec!["204"]),
        ("ISO 9001", "iso9001", vec![]),
    ] {
        let terms = analyzer.terms(text);
        assert!(of_kind(&terms, TermKind::Code).contains(&code), "{text:?}: {terms:?}");
        for part in parts {
            assert!(of_kind(&terms, TermKind::Part).contains(&part), "{text:?}: {part} not in {terms:?}");
        }
    }
}

#[test]
fn an_article_is_one_code_in_every_spelling() {
    let analyzer = Analyzer::new();
    for text in ["第十二条规定了什么", "第12条", "第１２條", "Article 12", "under art. 12 of it"]
    {
        let terms = analyzer.terms(text);
        assert!(of_kind(&terms, TermKind::Code).contains(&"§12"), "{text}: {terms:?}");
        assert!(terms.is_sorted_by_key(|term| term.source.start), "{text}");
    }
    assert!(of_kind(&analyzer.terms("第十二条之一"), TermKind::Code).contains(&"§12-1"));
    assert!(!of_kind(&analyzer.terms("第十二章"), TermKind::Code).contains(&"§12"));
}

#[test]
fn a_sentences_numbers_are_not_codes() {
    let analyzer = Analyzer::new();
    let terms = analyzer.terms("In 2016 the plant made 1200 units");
    assert!(of_kind(&terms, TermKind::Code).is_empty(), "{terms:?}");
}

#[test]
fn terms_know_where_they_come_from() {
    let analyzer = Analyzer::new();
    let text = "，電腦設備 GB/T 19001-2016，ＰＣ";
    for (term, source) in [("电脑", "電腦"), ("gbt19001-2016", "GB/T 19001-2016"), ("pc", "ＰＣ")] {
        let terms = analyzer.terms(text);
        let found = terms
            .iter()
            .find(|candidate| candidate.text == term)
            .unwrap_or_else(|| panic!("{term}: {terms:?}"));
        assert_eq!(&text[found.source.clone()], source);
    }
}

#[test]
fn hostile_text_is_analysed() {
    let analyzer = Analyzer::new();
    for text in [
        "",
        "\u{0}\u{301}",
        "....",
        "a.",
        "'",
        "１，",
        "\u{2028}",
        &"9".repeat(10_000),
        &"é".repeat(500),
        "ﷺ ㌖",
    ] {
        for term in analyzer.terms(text) {
            assert!(term.text.len() <= MAX_TERM_BYTES && !term.text.is_empty());
            assert!(text.get(term.source.clone()).is_some());
        }
    }
}
