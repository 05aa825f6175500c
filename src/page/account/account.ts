/** The ways in and out for whoever uses this browser. The login itself is a cookie that no script can read: `api/me.ts` asks whose it is. */
import { signal } from '@preact/signals';
import { login, logout, SightlineError } from '/sightline.js';
import { serverUrl } from '../api/address.js';
import { refreshMe } from '../api/me.js';
import { explain } from '../shared/explain.js';
import { keep, storage } from '../shared/storage.js';
import { words } from '../strings/index.js';

/** Where a token was kept before there were logins. */
const TOKEN_KEY = 'sightline.token';

/** Grows whenever somebody has logged in, or out: what was refused may be had now, and the other way round. */
export const changes = signal(0);

/** Makes a token that was kept a login, and asks who uses this browser. Never rejects. */
export async function recallLogin(): Promise<void> {
  const token = storage()?.getItem(TOKEN_KEY) ?? '';
  if (token !== '') {
    keep(TOKEN_KEY, undefined);
    // Where it holds no more, the form asks for another one.
    await login({ token }, { server: serverUrl() }).catch(() => undefined);
  }
  void refreshMe();
}

/** Logs in. @param name empty for a token @throws as `login` of the client library */
export async function logIn(name: string, secret: string): Promise<void> {
  await login(name === '' ? { token: secret } : { user: name, password: secret }, { server: serverUrl() });
  void refreshMe();
  changes.value++;
}

/** Logs out. Never rejects: where the server cannot be reached, what follows says so. */
export async function logOut(): Promise<void> {
  await logout({ server: serverUrl() }).catch(() => undefined);
  await refreshMe();
  changes.value++;
}

/** Why a login failed, in words for a person. @param name that was tried; empty for a token */
export function loginFault(error: unknown, name: string): string {
  const { code, message } = error instanceof SightlineError ? error : { code: undefined, message: String(error) };
  const { wrongToken, wrongPassword } = words.value.account;
  if (code === 'UNAUTHORIZED') return name === '' ? wrongToken : wrongPassword;
  const { title, text } = explain({ code, message });
  return `${title}. ${code === 'TOO_MANY_REQUESTS' ? message : text}`.trim();
}
