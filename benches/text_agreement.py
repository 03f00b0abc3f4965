"""How well two texts agree, whatever made them: words (a Chinese character is one) and neighbouring words."""

import html
import re
import unicodedata
from collections import Counter

# Words of scripts that are written with spaces, or single characters of those that are not.
WORD = re.compile(r"[\u2e80-\u303f\u3041-\u33ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W_]+")
WIDE = re.compile(r"([\u2e80-\u303f\u3041-\u33ff\u3400-\u9fff\uf900-\ufaff])")
# What Markdown, and nothing that is text, puts between words.
COMMENT = re.compile(r"<!--.*?-->", re.S)
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
# Between letters: a hyphen between numbers is one of a code or of a date wherever the line ends.
HYPHEN_AT_LINE_END = re.compile(r"([^\W\d_])[-\u2010\u00ad]\n\s*([^\W\d_])")
# A line that says that it is a page's number: whoever reads one page alone cannot tell it by its returning.
PAGE_NUMBER = re.compile(r"^[ \t]*(?:page \d+ of \d+|第 ?\d+ ?页[ ,，]*共 ?\d+ ?页)[ \t]*$", re.I | re.M)
# A line at the edge of a page that returns on this share of the pages is a running header or footer.
RUNNING_SHARE = 0.5
MIN_PAGES = 3
EDGE_LINES = 3


def words(text: str) -> list[str]:
    """The words of a text without markup, running lines and hyphens at line ends."""
    text = html.unescape(COMMENT.sub(" ", text))
    text = IMAGE.sub(r" \1 ", text)
    text = LINK.sub(r" \1 ", text)
    text = unicodedata.normalize("NFKC", text).replace("\u00ad\n", "")
    text = PAGE_NUMBER.sub(" ", without_running_lines(text))
    text = HYPHEN_AT_LINE_END.sub(r"\1\2", text)
    return WORD.findall(WIDE.sub(r" \1 ", text).casefold())


def without_running_lines(text: str) -> str:
    """Whoever keeps headers and page numbers, and whoever drops them, is compared on what is between them. Pages end
    with a form feed."""
    pages = [[line.strip() for line in page.splitlines() if line.strip()] for page in text.split("\f")]
    if len(pages) < MIN_PAGES:
        return text

    def at_edge(page: list[str]) -> set[int]:
        return {*range(min(EDGE_LINES, len(page))), *range(max(len(page) - EDGE_LINES, 0), len(page))}

    def shape(line: str) -> str:
        return re.sub(r"\d+", "#", line)

    counts = Counter(found for page in pages for found in {shape(page[index]) for index in at_edge(page)})
    running = {line for line, count in counts.items() if count >= max(MIN_PAGES, len(pages) * RUNNING_SHARE)}
    kept = [
        line
        for page in pages
        for index, line in enumerate(page)
        if not (index in at_edge(page) and shape(line) in running)
    ]
    return "\n".join(kept)


def pairs(of: list[str]) -> Counter:
    return Counter(zip(of, of[1:]))


def f1(ours: Counter, theirs: Counter) -> float:
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 1.0


class Text:
    """A text, ready to be compared."""

    def __init__(self, text: str):
        found = words(text)
        self.words = Counter(found)
        self.pairs = pairs(found)

    def agreement(self, reference: "Text") -> tuple[float, float]:
        """F1 of the words, F1 of the pairs."""
        return f1(self.words, reference.words), f1(self.pairs, reference.pairs)


def consensus(texts: list[Text]) -> Text:
    """What most of the texts hold: every word (pair) as often as the lower median of them has it."""
    made = Text("")
    made.words = median_counter([text.words for text in texts])
    made.pairs = median_counter([text.pairs for text in texts])
    return made


def median_counter(counters: list[Counter]) -> Counter:
    middle = (len(counters) - 1) // 2
    keys = set().union(*counters)
    found = {key: sorted(counter[key] for counter in counters)[middle] for key in keys}
    return Counter({key: count for key, count in found.items() if count})
