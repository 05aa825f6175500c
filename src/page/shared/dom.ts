/** Elements of a page, with their types. */

/**
 * The element with that id.
 * @param kind its class, such as `HTMLButtonElement`
 * @throws Error where there is none of that kind: page and script do not belong together
 */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  return found(document.getElementById(id), kind, `#${id}`);
}

/** The first element below `root` that a selector matches. @throws Error where there is none of that kind */
export function within<Kind extends HTMLElement>(root: ParentNode, selector: string, kind: new () => Kind): Kind {
  return found(root.querySelector(selector), kind, selector);
}

function found<Kind extends HTMLElement>(element: Element | null, kind: new () => Kind, name: string): Kind {
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} ${name}`);
}

/** A new element with these properties. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties);
}

/** Writes text only where it is another one, so that screen readers say it once. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
