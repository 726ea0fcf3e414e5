// Elements of a page. What people said reaches it as text, never as markup.

/**
 * Return the element of this id, which the page's template has.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind] what it must be; any element if left out
 * @returns {T}
 */
export function byId(id, kind) {
  const found = findById(id, kind);
  if (!found) throw new Error(`this page has no ${kind?.name ?? "element"} #${id}`);
  return found;
}

/**
 * Return the element of this id; null where the template leaves it out, as for readers without a right.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T | null}
 */
export function findById(id, kind) {
  const found = document.getElementById(id);
  return found instanceof (kind ?? HTMLElement) ? /** @type {T} */ (found) : null;
}

/**
 * Return the first descendant that matches; the template or the module that made `parent` gave it one.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function descendant(parent, selector, kind) {
  const found = parent.querySelector(selector);
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`there is no ${selector} where it should be`);
  return /** @type {T} */ (found);
}

/**
 * Return the element that matches, among where an event happened and all around it.
 *
 * @param {EventTarget | null} target
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(target, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Make an element. `onclick` and the like are listeners; attributes that are null, undefined or false are left
 * out, and so are such children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "dataset") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an icon from path data on a 20 x 20 grid.
 *
 * @param {string} path
 * @returns {SVGSVGElement}
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  drawn.setAttribute("fill", "none");
  drawn.setAttribute("stroke", "currentColor");
  drawn.setAttribute("stroke-width", "1.7");
  drawn.setAttribute("stroke-linecap", "round");
  drawn.setAttribute("stroke-linejoin", "round");
  svg.append(drawn);
  return svg;
}

/**
 * Give a node this text, and touch nothing if it has it: screen readers read what is touched.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make a range over characters of a text node.
 *
 * @param {Text} node
 * @param {number} begin
 * @param {number} stop
 */
export function rangeOf(node, begin, stop) {
  const range = new Range();
  range.setStart(node, begin);
  range.setEnd(node, stop);
  return range;
}

/**
 * Read the data that the template has put into the page for its scripts.
 *
 * @returns {any}
 */
export function pageData(id = "page-data") {
  return JSON.parse(byId(id).textContent);
}

/**
 * Name the window after what it shows, and the product.
 *
 * @param {string} title
 */
export function setWindowTitle(title) {
  const product = document.querySelector('meta[name="application-name"]')?.getAttribute("content");
  document.title = product ? `${title} · ${product}` : title;
}
