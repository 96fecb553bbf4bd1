// Script and module know each other's functions by names that nobody reads: long ones, with hashes that do not compress.

// The module and the script with short names for what they import from each other.
export function shorten(module, script) {
  const short = new Map();
  const rename = (name) => {
    if (!/^__wb|^wasm_bindgen__/.test(name)) return name;
    if (!short.has(name)) short.set(name, `$${short.size.toString(36)}`);
    return short.get(name);
  };
  const out = [module.subarray(0, 8)];
  const from = reader(module);
  for (from.skip(8); !from.ended(); ) {
    const id = from.number();
    const body = from.bytes(from.number());
    const renamed = id === IMPORTS ? imports(body, rename) : id === EXPORTS ? exports(body, rename) : body;
    out.push(number(id), number(renamed.length), renamed);
  }
  return [Buffer.concat(out), script.replaceAll(/[\w$]+/g, (name) => short.get(name) ?? name)];
}

// The numbers by which WebAssembly's binary format knows these sections.
const IMPORTS = 2;
const EXPORTS = 7;

function imports(body, rename) {
  const from = reader(body);
  const out = [number(from.number())];
  while (!from.ended()) {
    const where = from.bytes(from.number());
    out.push(number(where.length), where, text(rename(from.text())), from.kept(() => from.imported()));
  }
  return Buffer.concat(out);
}

function exports(body, rename) {
  const from = reader(body);
  const out = [number(from.number())];
  while (!from.ended()) {
    out.push(text(rename(from.text())), from.kept(() => { from.skip(1); from.number(); }));
  }
  return Buffer.concat(out);
}

function reader(bytes) {
  let at = 0;
  const it = {
    ended: () => at >= bytes.length,
    skip: (count) => void (at += count),
    bytes: (count) => bytes.subarray(at, (at += count)),
    text: () => it.bytes(it.number()).toString(),
    number() {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++];
        value += (byte & 127) * 2 ** shift;
        if (byte < 128) return value;
      }
    },
    // What is passed over, as it stands.
    kept(pass) {
      const start = at;
      pass();
      return bytes.subarray(start, at);
    },
    // What is imported: a function by its type, a table, a memory or a global.
    imported() {
      const kind = it.number();
      if (kind === 0) it.number();
      if (kind === 1) it.skip(1);
      if (kind === 1 || kind === 2) {
        const bounded = it.number() & 1;
        it.number();
        if (bounded) it.number();
      }
      if (kind === 3) it.skip(2);
    },
  };
  return it;
}

function number(value) {
  const bytes = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(bytes);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}
