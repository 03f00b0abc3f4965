//! The cells of one sheet, read as they come.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Book;
use crate::parse::sheets::number_format::general;
use crate::parse::sheets::{Area, Budget, CellKind, Sheet, cell_place};
use crate::parse::xml;

/// Rows and columns beyond are damage.
const MAX_ROW: u32 = 1 << 20;
const MAX_COLUMN: u32 = 1 << 14;

/// Reads a sheet's part; answers whether it is whole.
pub(super) fn read(text: &str, book: &Book, sheet: &mut Sheet, budget: &mut Budget) -> bool {
    let mut state = State::new(book, sheet, budget);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => state.start(&element),
            Ok(Event::Empty(element)) => {
                state.start(&element);
                state.end(element.local_name().as_ref());
            }
            Ok(Event::End(element)) => state.end(element.local_name().as_ref()),
            Ok(Event::Text(text)) => state.text(&text.decode().unwrap_or_default()),
            Ok(Event::CData(text)) => state.text(&text.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(reference)) => {
                if let Some(character) = xml::referenced(&reference) {
                    state.text(character.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return false,
        }
        if state.budget.is_spent() {
            break;
        }
    }
    if state.has_filter {
        state.sheet.hidden_rows.clear();
    }
    true
}

/// Which text is collected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Value,
    Formula,
}

struct State<'s> {
    book: &'s Book,
    sheet: &'s mut Sheet,
    budget: &'s mut Budget,
    row: u32,
    column: u32,
    /// `t` of the cell.
    kind: [u8; 2],
    style: usize,
    value: String,
    formula: String,
    inside: Inside,
    phonetic: bool,
    in_filter: bool,
    has_filter: bool,
}

impl<'s> State<'s> {
    fn new(book: &'s Book, sheet: &'s mut Sheet, budget: &'s mut Budget) -> Self {
        Self {
            book,
            sheet,
            budget,
            row: 0,
            column: 0,
            kind: *b"n ",
            style: 0,
            value: String::new(),
            formula: String::new(),
            inside: Inside::Nothing,
            phonetic: false,
            in_filter: false,
            has_filter: false,
        }
    }

    fn start(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            b"c" => self.open_cell(element),
            b"row" => self.open_row(element),
            b"v" => self.inside = Inside::Value,
            b"t" if !self.phonetic => self.inside = Inside::Value,
            b"f" => self.inside = Inside::Formula,
            b"rPh" => self.phonetic = true,
            b"sheetPr" => self.has_filter = is_on(element, "filterMode"),
            b"autoFilter" => {
                self.in_filter = true;
                if let Some(area) = area(element) {
                    self.sheet.header_end = Some(area.top + 1);
                }
            }
            b"filterColumn" => self.has_filter |= self.in_filter,
            b"pane" => {
                let is_frozen =
                    xml::attribute(element, "state").is_some_and(|state| state.starts_with("frozen"));
                if is_frozen && let Some(rows) = number::<f64>(element, "ySplit") {
                    self.sheet.header_end = self.sheet.header_end.or(Some(rows as u32));
                }
            }
            b"col" if is_on(element, "hidden") && !in_outline(element) => {
                if let (Some(first), Some(last)) =
                    (number::<u32>(element, "min"), number::<u32>(element, "max"))
                {
                    self.sheet.hide_columns(first.saturating_sub(1), last.min(MAX_COLUMN).saturating_sub(1));
                }
            }
            b"mergeCell" => {
                if let Some(area) = area(element) {
                    self.sheet.merge(area);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"c" => {
                self.close_cell();
                self.column += 1;
            }
            b"row" => self.row += 1,
            b"v" | b"t" | b"f" => self.inside = Inside::Nothing,
            b"rPh" => self.phonetic = false,
            b"autoFilter" => self.in_filter = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self.inside {
            Inside::Nothing => {}
            Inside::Value => self.value.push_str(text),
            Inside::Formula => self.formula.push_str(text),
        }
    }

    fn open_row(&mut self, element: &BytesStart<'_>) {
        if let Some(row) = number::<u32>(element, "r") {
            self.row = row.clamp(1, MAX_ROW) - 1;
        }
        self.column = 0;
        if is_on(element, "hidden") && !in_outline(element) {
            self.sheet.hide_rows(self.row, self.row);
        }
    }

    fn open_cell(&mut self, element: &BytesStart<'_>) {
        self.kind = *b"n ";
        self.style = 0;
        self.value.clear();
        self.formula.clear();
        for attribute in element.attributes().with_checks(false).flatten() {
            match attribute.key.as_ref() {
                b"r" => {
                    let place = std::str::from_utf8(&attribute.value).ok().and_then(cell_place);
                    if let Some((row, column)) =
                        place.filter(|&(row, column)| row < MAX_ROW && column < MAX_COLUMN)
                    {
                        (self.row, self.column) = (row, column);
                    }
                }
                b"s" => {
                    self.style =
                        std::str::from_utf8(&attribute.value).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
                }
                b"t" => {
                    let value = &attribute.value;
                    self.kind =
                        [value.first().copied().unwrap_or(b'n'), value.get(1).copied().unwrap_or(b' ')];
                }
                _ => {}
            }
        }
    }

    fn close_cell(&mut self) {
        let place = (self.row, self.column);
        let value = std::mem::take(&mut self.value);
        match &self.kind {
            _ if value.is_empty() && !self.formula.is_empty() => {
                // Nobody has computed it yet: the formula is all there is.
                let formula = format!("={}", self.formula);
                self.sheet.push(self.budget, place, &formula, CellKind::Other);
            }
            // `s`: a shared string; `str` and `inlineStr` stand here themselves.
            b"s " => {
                let text = value.trim().parse().ok().and_then(|index| self.book.string(index));
                self.sheet.push(self.budget, place, text.unwrap_or_default(), CellKind::Text);
            }
            b"st" | b"in" => self.sheet.push(self.budget, place, &value, CellKind::Text),
            b"b " => {
                let shown = if value.trim() == "1" { "TRUE" } else { "FALSE" };
                self.sheet.push(self.budget, place, shown, CellKind::Other);
            }
            b"e " => self.sheet.push(self.budget, place, &value, CellKind::Other),
            b"d " => self.sheet.push(self.budget, place, value.trim_end_matches("T00:00:00"), CellKind::Date),
            _ => match value.trim().parse::<f64>() {
                Ok(number) => self.push_number(place, number),
                Err(_) => self.sheet.push(self.budget, place, &value, CellKind::Text),
            },
        }
        self.value = value;
    }

    fn push_number(&mut self, place: (u32, u32), number: f64) {
        let (shown, kind) = match self.book.format(self.style) {
            Some(format) => {
                let kind = if format.is_date() { CellKind::Date } else { CellKind::Number };
                (format.show(number, self.book.epoch), kind)
            }
            None => (general(number), CellKind::Number),
        };
        self.sheet.push(self.budget, place, &shown, kind);
    }
}

fn number<T: std::str::FromStr>(element: &BytesStart<'_>, name: &str) -> Option<T> {
    xml::attribute(element, name)?.parse().ok()
}

fn is_on(element: &BytesStart<'_>, name: &str) -> bool {
    xml::attribute(element, name).is_some_and(|value| value == "1" || value == "true")
}

/// A closed group of the outline: the reader can open it.
fn in_outline(element: &BytesStart<'_>) -> bool {
    number::<u32>(element, "outlineLevel").is_some_and(|level| level > 0)
}

fn area(element: &BytesStart<'_>) -> Option<Area> {
    Area::parse(&xml::attribute(element, "ref")?)
}
