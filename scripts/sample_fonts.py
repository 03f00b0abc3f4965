"""Cuts fonts down to what a document needs, as TrueType.

Chromium embeds the CFF outlines of Noto CJK as Type 3 fonts, a hundred of them in a Chinese document, which no office
program would write. From TrueType outlines it makes the ordinary subset fonts.
"""

import subprocess
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

FAMILY = "Noto Sans CJK SC"
# The largest distance, in units of the em's thousandth, between a cubic outline and its quadratic replacement.
MAX_ERROR = 1.0


def write_face(text: str, weight: str, target: Path) -> None:
    """Writes a TrueType font with the characters of `text`; `weight` is `regular` or `bold`."""
    pattern = f"{FAMILY}:weight={weight}"
    answer = subprocess.run(["fc-match", "--format=%{file}|%{index}", pattern], check=True, capture_output=True, text=True)
    file, index = answer.stdout.split("|")
    font = TTFont(file, fontNumber=int(index) & 0xFFFF, lazy=True)
    cutter = subset.Subsetter(subset.Options(layout_features=["kern"], notdef_outline=True, glyph_names=False))
    cutter.populate(text=text)
    cutter.subset(font)
    to_truetype(font)
    font.save(target)


def to_truetype(font: TTFont) -> None:
    names, glyph_set, glyphs = font.getGlyphOrder(), font.getGlyphSet(), {}
    for name in names:
        pen = TTGlyphPen(glyph_set)
        glyph_set[name].draw(Cu2QuPen(pen, MAX_ERROR, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = table = newTable("glyf")
    table.glyphOrder, table.glyphs = names, glyphs
    for stale in ("CFF ", "VORG", "vhea", "vmtx"):
        if stale in font:
            del font[stale]
    maxp = font["maxp"] = newTable("maxp")
    maxp.tableVersion = 0x00010000
    maxp.numGlyphs = len(names)
    maxp.maxZones, maxp.maxStorage, maxp.maxFunctionDefs, maxp.maxInstructionDefs = 1, 0, 0, 0
    maxp.maxTwilightPoints = maxp.maxStackElements = maxp.maxSizeOfInstructions = maxp.maxComponentElements = 0
    table.compile(font)
    maxp.recalc(font)
    post = font["post"]
    post.formatType, post.extraNames, post.mapping, post.glyphOrder = 3.0, [], {}, names
    font.sfntVersion = "\000\001\000\000"
