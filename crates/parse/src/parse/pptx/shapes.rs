//! The shapes of a slide.

use std::collections::HashMap;

use super::order::{Place, reading_order};
use super::paragraphs;
use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::chart;
use crate::parse::grid::{Grid, SpannedCell};
use crate::parse::package::{Package, Relations};
use crate::parse::pictures;
use crate::parse::tree::{Element, Tree};

/// Groups nested deeper are left out.
const MAX_DEPTH: usize = 32;

/// The placeholder that a shape fills.
pub(super) fn placeholder(shape: Element<'_>) -> Option<Element<'_>> {
    let properties = shape.children().find(|child| child.name().starts_with("nv"))?;
    properties.at(&["nvPr", "ph"])
}

/// The blocks of a slide in reading order, its title first.
pub(super) fn blocks(slide: &Tree, relations: &Relations, package: &mut Package<'_>) -> Vec<Block> {
    let Some(shapes) = slide.root().and_then(|root| root.at(&["cSld", "spTree"])) else { return Vec::new() };
    let layout_part = relations.of_kind("slideLayout").next().map(|relation| relation.target.clone());
    let layout = layout_part.and_then(|part| package.tree(&part)).unwrap_or_default();
    let heads_section = layout.root().is_some_and(|root| root.attribute("type") == Some("secHead"));
    let mut reader = Reader {
        relations,
        package,
        layout_places: layout_places(&layout),
        heads_section,
        titles: Vec::new(),
    };
    let body = reader.group(shapes, 0);
    let mut blocks = std::mem::take(&mut reader.titles);
    blocks.extend(body);
    blocks
}

/// Where the layout puts placeholders, by their kind and number: slides leave that out.
fn layout_places(layout: &Tree) -> HashMap<(String, String), Place> {
    let shapes = layout.root().and_then(|root| root.at(&["cSld", "spTree"]));
    let one = |shape: Element<'_>| Some((placeholder_key(placeholder(shape)?), own_place(shape)?));
    shapes.into_iter().flat_map(|shapes| shapes.children()).filter_map(one).collect()
}

fn placeholder_key(placeholder: Element<'_>) -> (String, String) {
    let value = |name: &str, usual: &str| placeholder.attribute(name).unwrap_or(usual).to_owned();
    (value("type", "obj"), value("idx", "0"))
}

fn own_place(shape: Element<'_>) -> Option<Place> {
    let transform = shape
        .at(&["spPr", "xfrm"])
        .or_else(|| shape.at(&["grpSpPr", "xfrm"]))
        .or_else(|| shape.child("xfrm"))?;
    let (offset, extent) = (transform.child("off")?, transform.child("ext")?);
    let (left, top): (f64, f64) = (offset.number("x")?, offset.number("y")?);
    let (width, height): (f64, f64) = (extent.number("cx")?, extent.number("cy")?);
    Some(Place { left, top, right: left + width, bottom: top + height })
}

struct Reader<'r, 'p> {
    relations: &'r Relations,
    package: &'r mut Package<'p>,
    layout_places: HashMap<(String, String), Place>,
    /// The slide stands for the part of the talk that begins with it.
    heads_section: bool,
    titles: Vec<Block>,
}

impl Reader<'_, '_> {
    fn place(&self, shape: Element<'_>) -> Option<Place> {
        own_place(shape).or_else(|| self.layout_places.get(&placeholder_key(placeholder(shape)?)).copied())
    }

    /// The shapes of the slide or of a group.
    fn group(&mut self, shapes: Element<'_>, depth: usize) -> Vec<Block> {
        let mut parts: Vec<(Option<Place>, Vec<Block>)> = Vec::new();
        for shape in shapes.children() {
            let shape = match shape.name() {
                // What old programs show instead is left out.
                "AlternateContent" => shape.child("Choice").and_then(|choice| choice.children().next()),
                _ => Some(shape),
            };
            let Some(shape) = shape else { continue };
            let blocks = self.shape(shape, depth);
            if !blocks.is_empty() {
                parts.push((self.place(shape), blocks));
            }
        }
        let places: Vec<Option<Place>> = parts.iter().map(|(place, _)| *place).collect();
        let mut blocks: Vec<Vec<Block>> = parts.into_iter().map(|(_, blocks)| blocks).collect();
        reading_order(&places).into_iter().flat_map(|index| std::mem::take(&mut blocks[index])).collect()
    }

    fn shape(&mut self, shape: Element<'_>, depth: usize) -> Vec<Block> {
        match shape.name() {
            "grpSp" if depth < MAX_DEPTH => self.group(shape, depth + 1),
            "sp" => self.text_shape(shape),
            "graphicFrame" => self.frame(shape),
            "pic" => picture(shape).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn text_shape(&mut self, shape: Element<'_>) -> Vec<Block> {
        let Some(body) = shape.child("txBody") else { return Vec::new() };
        let kind = placeholder(shape).map(|own| own.attribute("type").unwrap_or("obj"));
        match kind {
            // Dates, footers and numbers stand on every slide.
            Some("dt" | "ftr" | "sldNum" | "hdr") => Vec::new(),
            Some(kind @ ("title" | "ctrTitle")) => {
                let lines: Vec<String> = body.children_named("p").map(paragraphs::text).collect();
                let text = clean::normalise(&lines.join(" "));
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let level = if kind == "ctrTitle" || self.heads_section { 1 } else { 2 };
                if !text.is_empty() {
                    self.titles.push(Block::new(BlockKind::Heading { level }, text, None));
                }
                Vec::new()
            }
            Some("body" | "obj") => paragraphs::blocks(body, !self.heads_section),
            _ => paragraphs::blocks(body, false),
        }
    }

    /// A table, a chart or a diagram.
    fn frame(&mut self, frame: Element<'_>) -> Vec<Block> {
        let Some(data) = frame.at(&["graphic", "graphicData"]) else { return Vec::new() };
        if let Some(table) = data.child("tbl") {
            return vec![self::table(table)];
        }
        let target = |element: Element<'_>, id: &str| {
            element.prefixed_attribute(id).and_then(|id| self.relations.target(id)).map(str::to_owned)
        };
        if let Some(part) = data.child("chart").and_then(|chart| target(chart, "id")) {
            let Some(tree) = self.package.tree(&part) else { return Vec::new() };
            let (title, table) = chart::read(&tree);
            let title = title.map(|title| Block::new(BlockKind::Figure, clean::normalise(&title), None));
            return title.into_iter().chain(table).collect();
        }
        if let Some(part) = data.child("relIds").and_then(|ids| target(ids, "dm")) {
            let Some(tree) = self.package.tree(&part) else { return Vec::new() };
            let points = tree.root().into_iter().flat_map(|root| root.descendants());
            let bodies = points.filter(|element| element.name() == "pt").filter_map(|point| point.child("t"));
            return bodies.flat_map(|body| paragraphs::blocks(body, true)).collect();
        }
        Vec::new()
    }
}

fn picture(shape: Element<'_>) -> Option<Block> {
    let described = shape.at(&["nvPicPr", "cNvPr"])?.attribute("descr")?;
    pictures::description(described).map(|text| Block::new(BlockKind::Figure, text, None))
}

fn table(table: Element<'_>) -> Block {
    let is_on = |element: Element<'_>, name: &str| matches!(element.attribute(name), Some("1" | "true"));
    let mut grid = Grid::new();
    let mut rows = Vec::new();
    for row in table.children_named("tr") {
        let begins = |cell: &Element<'_>| !is_on(*cell, "hMerge") && !is_on(*cell, "vMerge");
        let cells = row.children_named("tc").filter(begins).map(|cell| {
            let paragraphs = cell.child("txBody").into_iter().flat_map(|body| body.children_named("p"));
            let lines: Vec<String> =
                paragraphs.map(paragraphs::text).filter(|line| !line.trim().is_empty()).collect();
            let content = clean::normalise(lines.join(" ").trim());
            SpannedCell {
                again: content.clone(),
                content,
                columns: cell.number("gridSpan").unwrap_or(1),
                rows: cell.number("rowSpan").unwrap_or(1),
            }
        });
        rows.push(grid.row(cells));
    }
    let header_rows = usize::from(rows.len() > 1);
    Block::table(rows, header_rows, None)
}
