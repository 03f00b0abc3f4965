import { textBlocks } from './blocks';

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
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </span>
    ),
  );
}
