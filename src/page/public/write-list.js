/** Figures in a definition list, updated in place. */

/** @param {HTMLDListElement} list @param {[string, string][]} written names and values */
export function writeList(list, written) {
  if (list.children.length !== written.length) {
    list.replaceChildren(
      ...written.map(([name]) => {
        const row = document.createElement('div');
        row.append(document.createElement('dt'), document.createElement('dd'));
        row.firstChild.textContent = name;
        return row;
      }),
    );
  }
  written.forEach(([, value], index) => (list.children[index].lastChild.textContent = value));
}
