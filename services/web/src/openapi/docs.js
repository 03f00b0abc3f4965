// Shows openapi.json: calls by tag, each with its parameters, body and answers.
(async function () {
  const api = await (await fetch('openapi.json')).json();
  const schemas = api.components.schemas;
  const MAX_DEPTH = 5;

  function element(name, attributes, ...children) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  }

  // An example of the shape that a schema describes; `$ref` is followed to a bounded depth.
  function shape(schema, depth) {
    if (!schema || depth > MAX_DEPTH) return '…';
    if (schema.$ref) return shape(schemas[schema.$ref.split('/').pop()], depth + 1);
    if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => shape(part, depth)));
    const choice = schema.oneOf || schema.anyOf;
    if (choice) return shape(choice.find((part) => part.type !== 'null'), depth);
    if (schema.enum) return schema.enum.join(' | ');
    const type = [].concat(schema.type).find((name) => name && name !== 'null');
    if (type === 'array') return [shape(schema.items, depth + 1)];
    if (type === 'object' || schema.properties) {
      const fields = Object.entries(schema.properties || {});
      return Object.fromEntries(fields.map(([name, field]) => [name, shape(field, depth + 1)]));
    }
    return type || 'any';
  }

  function body(title, content) {
    return Object.entries(content || {}).flatMap(([type, media]) => [
      element('h4', {}, `${title} (${type})`),
      element('pre', {}, JSON.stringify(shape(media.schema, 0), null, 2)),
    ]);
  }

  function parameters(list) {
    if (!list || !list.length) return [];
    const rows = list.map((one) =>
      element('tr', {}, element('td', {}, one.name), element('td', {}, one.in), element('td', {}, one.description || '')),
    );
    return [element('h4', {}, 'Parameters'), element('table', {}, ...rows)];
  }

  function call(method, path, operation) {
    const answers = Object.entries(operation.responses || {}).flatMap(([status, answer]) =>
      body(`${status} ${answer.description || ''}`, answer.content),
    );
    return element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { className: 'method' }, method),
        element('span', { className: 'path' }, path),
        element('span', { className: 'about' }, operation.summary || ''),
      ),
      element(
        'div',
        {},
        element('p', {}, operation.description || ''),
        ...parameters(operation.parameters),
        ...body('Body', operation.requestBody && operation.requestBody.content),
        ...answers,
      ),
    );
  }

  const groups = new Map((api.tags || []).map((tag) => [tag.name, { about: tag.description, calls: [] }]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = (operation.tags || ['other'])[0];
      if (!groups.has(tag)) groups.set(tag, { about: '', calls: [] });
      groups.get(tag).calls.push({ text: `${method} ${path} ${operation.summary || ''}`.toLowerCase(), node: call(method, path, operation) });
    }
  }
  const main = document.getElementById('calls');
  for (const [name, group] of groups) {
    if (!group.calls.length) continue;
    main.append(element('section', {}, element('h2', {}, `${name}: ${group.about}`), ...group.calls.map((one) => one.node)));
  }
  document.getElementById('filter').addEventListener('input', (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const group of groups.values()) for (const one of group.calls) one.node.hidden = !one.text.includes(wanted);
  });
})();
