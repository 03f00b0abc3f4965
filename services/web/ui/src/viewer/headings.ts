export interface NewHeading {
  /** 0 for the outermost. */
  depth: number;
  text: string;
}

/** The headings that begin between two passages that follow each other. */
export function newHeadings(before: readonly string[], after: readonly string[]): NewHeading[] {
  const common = after.findIndex((text, depth) => before[depth] !== text);
  if (common < 0) return [];
  return after.slice(common).map((text, index) => ({ depth: common + index, text }));
}

/** A passage's text without its own heading, where that has just been shown above it. */
export function withoutHeading(text: string, headings: readonly NewHeading[]): string {
  const [first = '', ...rest] = text.split('\n');
  const repeated = headings.some((heading) => heading.text.trim() === first.trim());
  return repeated ? rest.join('\n').replace(/^\n+/, '') : text;
}
