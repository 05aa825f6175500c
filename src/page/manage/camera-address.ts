/** Addresses of cameras with their credentials. Pure. */

/** An address with a user name and a password in it, each percent-encoded; without a user as it is. Those that stand in it already give way. */
export function withLogin(url: string, user: string, password: string): string {
  if (user === '') return url;
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url) ?? [];
  if (scheme === '') return url;
  const [authority = '', ...path] = rest.split(/(?=[/?#])/);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return `${scheme}${encodeURIComponent(user)}${password === '' ? '' : `:${encodeURIComponent(password)}`}@${host}${path.join('')}`;
}

/** A name for a source that no other has, from what people call it. @param taken names that there are */
export function nameFor(title: string, taken: readonly string[]): string {
  const plain = title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 56);
  const base = plain === '' ? 'camera' : plain;
  let name = base;
  for (let number = 2; taken.includes(name); number++) name = `${base}-${number}`;
  return name;
}
