import { textBlocks } from './blocks';

/** Short codes and numbers stay on one line: a code that is broken at its hyphen is hard to read. */
const SHORT_CODE = /^[\x20-\x7e]{1,12}$/;

export const cellClass = (text: unknown) =>
  typeof text === 'string' && SHORT_CODE.test(text) ? 'short-cell' : undefined;

/** A passage's text with its tables as tables. */
export function PassageText({ text }: { text: string }) {
  return textBlocks(text).map((block, index) =>
    block.kind === 'text' ? (
      <span key={index} className="passage-text">
        {block.text}
      </span>
    ) : (
      <span key={index} className="table-wrap passage-table">
        <table>
          <thead>
            <tr>
              {block.header.map((cell, column) => (
                <th key={column} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, number) => (
              <tr key={number}>
                {row.map((cell, column) => (
                  <td key={column} className={cellClass(cell)}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </span>
    ),
  );
}
