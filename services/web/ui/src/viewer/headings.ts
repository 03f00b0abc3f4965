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
