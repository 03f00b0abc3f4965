//! Formulas of Office documents (ECMA-376-1, 22.1) as linear LaTeX. Structure becomes commands, signs stay the
//! characters that they are: `\frac{π}{2}`.

use super::tree::Element;

/// Formulas nested deeper are cut.
const MAX_DEPTH: usize = 64;

/// The formula in an `oMath` element, or in all of an `oMathPara`.
pub(super) fn latex(element: Element<'_>) -> String {
    let mut out = String::new();
    push(&mut out, element, 0);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_all(out: &mut String, element: Element<'_>, depth: usize) {
    element.children().for_each(|child| push(out, child, depth + 1));
}

fn push(out: &mut String, element: Element<'_>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let part = |name: &str| argument(element, name, depth);
    let property =
        |group: &str, name: &str| element.at(&[group, name]).and_then(|property| property.attribute("val"));
    match element.name() {
        "t" => out.push_str(&element.text()),
        "f" => {
            let command = match property("fPr", "type") {
                Some("noBar") => r"\binom",
                _ => r"\frac",
            };
            out.push_str(&format!("{command}{{{}}}{{{}}}", part("num"), part("den")));
        }
        "sSup" => out.push_str(&format!("{}^{{{}}}", part("e"), part("sup"))),
        "sSub" => out.push_str(&format!("{}_{{{}}}", part("e"), part("sub"))),
        "sSubSup" => out.push_str(&format!("{}_{{{}}}^{{{}}}", part("e"), part("sub"), part("sup"))),
        "sPre" => out.push_str(&format!("{{}}_{{{}}}^{{{}}}{}", part("sub"), part("sup"), part("e"))),
        "rad" => match part("deg") {
            degree if degree.is_empty() => out.push_str(&format!(r"\sqrt{{{}}}", part("e"))),
            degree => out.push_str(&format!(r"\sqrt[{degree}]{{{}}}", part("e"))),
        },
        "nary" => {
            out.push_str(match property("naryPr", "chr").unwrap_or("∫") {
                "∑" => r"\sum",
                "∏" => r"\prod",
                "∫" => r"\int",
                other => other,
            });
            push_script(out, '_', &part("sub"));
            push_script(out, '^', &part("sup"));
            out.push_str(&format!("{{{}}}", part("e")));
        }
        "d" => {
            let inner: Vec<String> = element.children_named("e").map(|e| inside(e, depth)).collect();
            out.push_str(property("dPr", "begChr").unwrap_or("("));
            out.push_str(&inner.join(property("dPr", "sepChr").unwrap_or("|")));
            out.push_str(property("dPr", "endChr").unwrap_or(")"));
        }
        "func" => {
            let name = part("fName");
            let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
            let command = if is_plain { format!(r"\{name}") } else { name };
            out.push_str(&format!("{command}{{{}}}", part("e")));
        }
        "limLow" => out.push_str(&format!("{}_{{{}}}", part("e"), part("lim"))),
        "limUpp" => out.push_str(&format!("{}^{{{}}}", part("e"), part("lim"))),
        "bar" => out.push_str(&format!(r"\overline{{{}}}", part("e"))),
        "acc" => {
            let command = match property("accPr", "chr").unwrap_or("\u{302}") {
                "\u{303}" => r"\tilde",
                "\u{307}" => r"\dot",
                "\u{308}" => r"\ddot",
                "\u{305}" | "¯" => r"\bar",
                "\u{20d7}" => r"\vec",
                _ => r"\hat",
            };
            out.push_str(&format!("{command}{{{}}}", part("e")));
        }
        "m" => {
            let row = |row: Element<'_>| {
                row.children_named("e").map(|e| inside(e, depth)).collect::<Vec<_>>().join(" & ")
            };
            let rows: Vec<String> = element.children_named("mr").map(row).collect();
            out.push_str(&format!(r"\begin{{matrix}}{}\end{{matrix}}", rows.join(r" \\ ")));
        }
        "eqArr" => {
            let lines: Vec<String> = element.children_named("e").map(|e| inside(e, depth)).collect();
            out.push_str(&lines.join(r" \\ "));
        }
        // Properties hold no text of the formula.
        name if name.ends_with("Pr") => {}
        "del" => {}
        _ => push_all(out, element, depth),
    }
}

fn inside(element: Element<'_>, depth: usize) -> String {
    let mut out = String::new();
    push_all(&mut out, element, depth + 1);
    out
}

fn argument(element: Element<'_>, name: &str, depth: usize) -> String {
    element.child(name).map(|child| inside(child, depth)).unwrap_or_default()
}

fn push_script(out: &mut String, mark: char, text: &str) {
    if !text.is_empty() {
        out.push_str(&format!("{mark}{{{text}}}"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn formulas_become_linear_latex() {
        let run = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
        let (x, y) = (run("x"), run("2"));
        for (xml, expected) in [
            (format!("{}<m:sSup><m:e>{x}</m:e><m:sup>{y}</m:sup></m:sSup>", run("A=π")), "A=πx^{2}"),
            (format!("<m:f><m:num>{x}</m:num><m:den>{y}</m:den></m:f>"), r"\frac{x}{2}"),
            (format!("<m:rad><m:radPr/><m:deg/><m:e>{x}</m:e></m:rad>"), r"\sqrt{x}"),
            (
                format!(
                    r#"<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{y}</m:sub><m:sup>{x}</m:sup><m:e>{x}</m:e></m:nary>"#
                ),
                r"\sum_{2}^{x}{x}",
            ),
            (format!("<m:d><m:e>{x}</m:e></m:d>"), "(x)"),
            (format!("<m:func><m:fName>{}</m:fName><m:e>{x}</m:e></m:func>", run("cos")), r"\cos{x}"),
        ] {
            let tree = Tree::parse(&format!("<m:oMath>{xml}</m:oMath>"));
            assert_eq!(latex(tree.root().unwrap()), expected);
        }
    }
}
