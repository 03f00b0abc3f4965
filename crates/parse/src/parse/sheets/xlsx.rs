//! Excel workbooks (XLSX, XLSM): ECMA-376-1, 18.

mod cells;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::number_format::{Epoch, NumberFormat};
use super::{Area, MAX_SHAPE_CHARACTERS, MarkedTable, Sheet, Workbook};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument, warning};
use crate::parse::failure::ParseFailure;
use crate::parse::package::{Package, Relations};
use crate::parse::pictures;
use crate::parse::tree::{Element, Tree};
use crate::parse::{Engine, ParseOptions, xml};

/// Marked tables of a sheet beyond are not looked at.
const MAX_TABLES: usize = 100;

/// # Errors
/// [`ParseFailure`] when the archive cannot be opened, or no sheet holds text.
pub(in crate::parse) fn parse(
    data: &[u8],
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let mut package = Package::open(data, &options.limits)?;
    let mut workbook = Workbook::new(media_type, &options.limits);
    package.read_properties(workbook.document());
    let main = package.main_part("xl/workbook.xml");
    let Some(tree) = package.tree(&main) else {
        return Err(ParseFailure::damaged("the workbook has no list of its sheets"));
    };
    let relations = package.relations(&main);
    let book = Book::read(&mut package, &tree, &relations);
    let sheets: Vec<(String, bool, Option<String>)> = sheets_of(&tree, &relations);
    let mut is_damaged = tree.is_damaged() || sheets.is_empty();
    for (name, is_hidden, part) in sheets {
        if workbook.is_full() {
            break;
        }
        if is_hidden {
            workbook.skip_hidden();
            continue;
        }
        let Some((part, text)) = part.and_then(|part| package.text(&part).map(|text| (part, text))) else {
            is_damaged = true;
            continue;
        };
        let mut sheet = Sheet::new(name);
        is_damaged |= !cells::read(&text, &book, &mut sheet, workbook.budget());
        drop(text);
        let relations = package.relations(&part);
        add_tables(&mut package, &relations, &mut sheet);
        add_shapes(&mut package, &relations, &mut sheet);
        workbook.push(sheet);
    }
    if is_damaged && options.engine == Engine::First {
        workbook
            .document()
            .warn(warning::PARTLY_DAMAGED, "parts of the workbook are damaged and were not read");
    }
    workbook.finish()
}

/// Name, whether hidden, and part of each sheet.
fn sheets_of(tree: &Tree, relations: &Relations) -> Vec<(String, bool, Option<String>)> {
    let list = tree.root().and_then(|root| root.child("sheets"));
    let one = |sheet: Element<'_>| {
        let is_hidden = sheet.attribute("state").is_some_and(|state| state != "visible");
        let part = sheet.prefixed_attribute("id").and_then(|id| relations.target(id));
        (sheet.attribute("name").unwrap_or_default().to_owned(), is_hidden, part.map(str::to_owned))
    };
    list.into_iter().flat_map(|list| list.children_named("sheet")).map(one).collect()
}

/// What all sheets of a workbook share.
pub(super) struct Book {
    pub(super) epoch: Epoch,
    strings: String,
    /// Ranges of `strings`.
    string_places: Vec<(u32, u32)>,
    formats: Vec<NumberFormat>,
    /// By cell format, the place in `formats`.
    cell_formats: Vec<usize>,
}

impl Book {
    fn read(package: &mut Package<'_>, tree: &Tree, relations: &Relations) -> Self {
        let is_1904 = tree
            .root()
            .and_then(|root| root.child("workbookPr")?.attribute("date1904"))
            .is_some_and(|value| value == "1" || value == "true");
        let mut book = Self {
            epoch: if is_1904 { Epoch::Year1904 } else { Epoch::Year1900 },
            strings: String::new(),
            string_places: Vec::new(),
            formats: Vec::new(),
            cell_formats: Vec::new(),
        };
        let part = |kind: &str, usual: &str| {
            relations.of_kind(kind).next().map_or_else(|| usual.to_owned(), |found| found.target.clone())
        };
        if let Some(text) = package.text(&part("sharedStrings", "xl/sharedStrings.xml")) {
            book.read_strings(&text);
        }
        if let Some(tree) = package.tree(&part("styles", "xl/styles.xml")) {
            book.read_formats(&tree);
        }
        book
    }

    fn read_strings(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        let mut start = 0;
        let (mut in_text, mut phonetic) = (false, false);
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(element) => match element.local_name().as_ref() {
                    b"si" => start = self.strings.len(),
                    b"rPh" => phonetic = true,
                    b"t" => in_text = !phonetic,
                    _ => {}
                },
                Event::Empty(element) if element.local_name().as_ref() == b"si" => {
                    let at = self.strings.len() as u32;
                    self.string_places.push((at, at));
                }
                Event::End(element) => match element.local_name().as_ref() {
                    b"si" => self.string_places.push((start as u32, self.strings.len() as u32)),
                    b"rPh" => phonetic = false,
                    b"t" => in_text = false,
                    _ => {}
                },
                Event::Text(text) if in_text => self.strings.push_str(&text.decode().unwrap_or_default()),
                Event::CData(text) if in_text => self.strings.push_str(&text.decode().unwrap_or_default()),
                Event::GeneralRef(reference) if in_text => self.strings.extend(xml::referenced(&reference)),
                Event::Eof => break,
                _ => {}
            }
        }
    }

    fn read_formats(&mut self, tree: &Tree) {
        let Some(root) = tree.root() else { return };
        let own: std::collections::HashMap<u32, &str> = root
            .child("numFmts")
            .into_iter()
            .flat_map(|list| list.children_named("numFmt"))
            .filter_map(|format| Some((format.number("numFmtId")?, format.attribute("formatCode")?)))
            .collect();
        let mut places = std::collections::HashMap::new();
        for cell_format in root.child("cellXfs").into_iter().flat_map(|list| list.children_named("xf")) {
            let id = cell_format.number("numFmtId").unwrap_or(0);
            let place = *places.entry(id).or_insert_with(|| {
                self.formats
                    .push(own.get(&id).map_or_else(|| NumberFormat::built_in(id), |c| NumberFormat::new(c)));
                self.formats.len() - 1
            });
            self.cell_formats.push(place);
        }
    }

    pub(super) fn string(&self, index: usize) -> Option<&str> {
        let &(start, end) = self.string_places.get(index)?;
        self.strings.get(start as usize..end as usize)
    }

    pub(super) fn format(&self, style: usize) -> Option<&NumberFormat> {
        self.formats.get(*self.cell_formats.get(style)?)
    }
}

fn add_tables(package: &mut Package<'_>, relations: &Relations, sheet: &mut Sheet) {
    for relation in relations.of_kind("table").take(MAX_TABLES) {
        let Some(tree) = package.tree(&relation.target) else { continue };
        let Some(root) = tree.root() else { continue };
        let Some(area) = root.attribute("ref").and_then(Area::parse) else { continue };
        sheet.tables.push(MarkedTable { area, header_rows: root.number("headerRowCount").unwrap_or(1) });
    }
}

/// Text boxes, titles of charts and descriptions of pictures, behind the sheet's tables.
fn add_shapes(package: &mut Package<'_>, relations: &Relations, sheet: &mut Sheet) {
    let mut left = MAX_SHAPE_CHARACTERS;
    let mut push = |sheet: &mut Sheet, kind: BlockKind, text: &str| {
        let text = clean::normalise(text.trim());
        let characters = text.chars().count();
        if !text.is_empty() && characters <= left {
            left -= characters;
            sheet.shapes.push(Block::new(kind, text, None));
        }
    };
    for relation in relations.of_kind("drawing") {
        let Some(tree) = package.tree(&relation.target) else { continue };
        for element in tree.root().into_iter().flat_map(|root| root.descendants()) {
            match element.name() {
                "sp" => {
                    let body = element.child("txBody");
                    let lines: Vec<String> = body
                        .into_iter()
                        .flat_map(|body| body.children_named("p"))
                        .map(|paragraph| paragraph.text())
                        .collect();
                    push(sheet, BlockKind::Paragraph, &lines.join("\n"));
                }
                "pic" => {
                    let described =
                        element.at(&["nvPicPr", "cNvPr"]).and_then(|name| name.attribute("descr"));
                    let described = described.and_then(pictures::description);
                    push(sheet, BlockKind::Figure, &described.unwrap_or_default());
                }
                _ => {}
            }
        }
        let inner = package.relations(&relation.target);
        for chart in inner.of_kind("chart") {
            let Some(tree) = package.tree(&chart.target) else { continue };
            let title = tree.root().and_then(|root| root.at(&["chart", "title", "tx"]));
            push(sheet, BlockKind::Figure, &title.map(|title| title.text()).unwrap_or_default());
        }
    }
}
