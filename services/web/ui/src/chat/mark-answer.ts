import type { Parents, PhrasingContent, Root, RootContent, Text } from 'mdast';
import type { Unsupported } from './citations';
import { locateSentence, splitCitations } from './citations';

interface Options {
  known: ReadonlySet<number>;
  unsupported: readonly Unsupported[];
}

/** A node that becomes the HTML element `name`. */
function element(
  name: string,
  properties: Record<string, string>,
  children: PhrasingContent[],
): PhrasingContent {
  return { type: 'emphasis', data: { hName: name, hProperties: properties }, children };
}

function pieces(text: string, known: ReadonlySet<number>): PhrasingContent[] {
  return splitCitations(text, known).map((piece) =>
    piece.kind === 'text'
      ? { type: 'text', value: piece.text }
      : element('cite', { 'data-n': String(piece.n) }, []),
  );
}

interface Place {
  parent: Parents;
  node: Text;
}

/** The text nodes of one block, in order; code keeps its own meaning. */
function textsOf(parent: Parents, found: Place[]): Place[] {
  for (const child of parent.children) {
    if (child.type === 'text') found.push({ parent, node: child });
    else if ('children' in child) textsOf(child, found);
  }
  return found;
}

/** For each text node the ranges that no source supports. */
function marksOf(places: readonly Place[], unsupported: readonly Unsupported[]): [number, number][][] {
  const texts = places.map((place) => place.node.value);
  const marks: [number, number][][] = texts.map(() => []);
  for (const { sentence } of unsupported) {
    locateSentence(texts, sentence)?.forEach((range, index) => {
      if (range) marks[index]?.push(range);
    });
  }
  return marks;
}

function rebuild(text: string, marks: [number, number][], known: ReadonlySet<number>): PhrasingContent[] {
  const built: PhrasingContent[] = [];
  let from = 0;
  for (const [start, end] of marks.sort((a, b) => a[0] - b[0])) {
    if (start < from) continue;
    built.push(...pieces(text.slice(from, start), known));
    built.push(element('mark', {}, pieces(text.slice(start, end), known)));
    from = end;
  }
  built.push(...pieces(text.slice(from), known));
  return built;
}

const BLOCKS = new Set<RootContent['type']>(['paragraph', 'heading', 'tableCell']);

function visit(node: Parents, options: Options): void {
  for (const child of node.children) {
    if (!('children' in child)) continue;
    if (!BLOCKS.has(child.type)) {
      visit(child, options);
      continue;
    }
    const places = textsOf(child, []);
    const marks = marksOf(places, options.unsupported);
    places.forEach(({ parent, node: text }, index) => {
      const at = (parent.children as RootContent[]).indexOf(text);
      (parent.children as RootContent[]).splice(
        at,
        1,
        ...rebuild(text.value, marks[index] ?? [], options.known),
      );
    });
  }
}

/** A remark plugin: citations become `<cite data-n>` and unsupported sentences `<mark>`. */
export function markAnswer(options: Options) {
  return (tree: Root): void => visit(tree, options);
}
