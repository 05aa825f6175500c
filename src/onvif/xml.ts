/**
 * The XML of SOAP messages, which strangers write: elements, attributes and text, without document types, entities of their own and
 * processing instructions, which no SOAP message may have (SOAP 1.2 §5) and by which a small one becomes a large one. A library would
 * bring all of that, to be switched off.
 */

/** One element. Prefixes are left out: what ONVIF devices call them differs. */
export interface XmlElement {
  /** Local name. */
  readonly name: string;
  /** By local name. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Elements inside. */
  readonly children: readonly XmlElement[];
  /** Text directly inside, without blanks around it. */
  readonly text: string;
}

interface Open {
  readonly qualified: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const MAX_ELEMENTS = 20_000;
const MAX_DEPTH = 48;
const NAME = String.raw`[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?`;
const ATTRIBUTE = String.raw`\s+(${NAME})\s*=\s*("[^"<]*"|'[^'<]*')`;
const COMMENT = /<!--[^]*?-->/y;
const CDATA = /<!\[CDATA\[([^]*?)\]\]>/y;
const END = new RegExp(String.raw`</(${NAME})\s*>`, 'y');
const START = new RegExp(String.raw`<(${NAME})((?:${ATTRIBUTE})*)\s*(/?)>`, 'y');
const TEXT = /[^<]+/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The root element of a document. @throws Error with what is wrong with it */
export function readXml(text: string): XmlElement {
  const open: Open[] = [];
  const top: XmlElement[] = [];
  let at = /^\ufeff?\s*(<\?xml\s[^<>]*\?>)?/.exec(text)?.[0].length ?? 0;
  let elements = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const addText = (part: string): void => {
    const last = open.at(-1);
    if (last) last.text += part;
    else if (part.trim() !== '') throw new Error('there is text outside of its elements');
  };
  const close = ({ qualified, attributes, children, text: inside }: Open): void => {
    (open.at(-1)?.children ?? top).push({ name: localName(qualified), attributes, children, text: inside.trim() });
  };
  while (at < text.length) {
    const found = match(TEXT);
    if (found) {
      addText(resolved(found[0]));
      continue;
    }
    if (match(COMMENT)) continue;
    const data = match(CDATA);
    if (data) {
      addText(data[1] ?? '');
      continue;
    }
    const end = match(END);
    if (end) {
      const last = open.pop();
      if (!last || last.qualified !== end[1]) throw new Error(`</${end[1]}> closes nothing`);
      close(last);
      continue;
    }
    const start = match(START);
    if (!start) throw new Error(`it is no well-formed XML without a document type, at character ${at}`);
    if (++elements > MAX_ELEMENTS || open.length >= MAX_DEPTH) throw new Error('it has more elements than any such message');
    if (open.length === 0 && top.length > 0) throw new Error('it has two root elements');
    const [, qualified = '', attributes = ''] = start;
    const element: Open = { qualified, attributes: readAttributes(attributes), children: [], text: '' };
    if (start.at(-1) === '/') close(element);
    else open.push(element);
  }
  const [root] = top;
  if (!root || open.length > 0) throw new Error('it ends too early');
  return root;
}

/** The element of that path below; the first where there are several. */
export function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((found, name) => found?.children.find((child) => child.name === name), element);
}

/** Elements of that name directly inside. */
export function all(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** Text as XML. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', quoted = ''] of text.matchAll(new RegExp(ATTRIBUTE, 'g')))
    attributes.set(localName(name), resolved(quoted.slice(1, -1)));
  return attributes;
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1);
}

function resolved(text: string): string {
  return text.replace(/&([^;\s&]{0,12});?/g, (written, name: string) => {
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? [];
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal);
    if (written.endsWith(';') && code > 0 && code <= 0x10_ff_ff) return String.fromCodePoint(code);
    const known = written.endsWith(';') ? ENTITIES[name] : undefined;
    if (known === undefined) throw new Error(`it has an entity of its own, ${written}`);
    return known;
  });
}
