import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { Accounts } from '../../src/access/accounts.js';
import { hashPassword, isPasswordHash, Passwords } from '../../src/access/passwords.js';
import { Users } from '../../src/access/users.js';

/** As cheap as is taken. */
function hashOf(password: string, { N = 16_384, r = 1, p = 1 } = {}): string {
  const salt = Buffer.from('sixteen bytes of');
  return `scrypt$${N}$${r}$${p}$${salt.toString('base64')}$${scryptSync(password, salt, 32, { N, r, p }).toString('base64')}`;
}

describe('a password', () => {
  it('is right only as it was hashed, with the costs and the salt of its hash', async () => {
    const passwords = new Passwords();
    const isRight = (password: string, hash: string | undefined): Promise<boolean> =>
      passwords.isRight(password, { hash, owner: '192.0.2.1' });
    const made = await hashPassword('correct horse battery');
    assert.match(made, /^scrypt\$32768\$8\$3\$[\w+/]{22}==\$[\w+/]{43}=$/);
    assert.notEqual(await hashPassword('correct horse battery'), made, 'each has a salt of its own');
    for (const hash of [made, hashOf('correct horse battery'), hashOf('correct horse battery', { N: 32_768, r: 2 })]) {
      assert.ok(isPasswordHash(hash), hash);
      assert.deepEqual([await isRight('correct horse battery', hash), await isRight('correct horse batterz', hash)], [true, false]);
    }
    assert.ok(await isRight('pa\u0308sswort für alle', hashOf('pässwort für alle')), 'however a keyboard writes it');
    assert.ok(!(await isRight('', undefined)) && !(await isRight('correct horse battery', undefined)));
  });

  it('whose hash costs too little or too much is none', () => {
    const [, , , , salt, hash] = hashOf('x').split('$');
    const costs = ['1024$8$1', '16385$8$1', '1048576$8$1', '131072$16$1', '16384$8$99', '131072$8$3', '16384$0$1', '-16384$8$1'];
    for (const cost of costs) assert.ok(!isPasswordHash(`scrypt$${cost}$${salt}$${hash}`), cost);
    for (const text of ['', 'scrypt', 'secret', `scrypt$16384$8$1$${salt}$`, `scrypt$16384$8$1$$${hash}`, `${hashOf('x')}$`])
      assert.ok(!isPasswordHash(text), text);
  });

  it('is checked two at a time, and so many may wait', async () => {
    const passwords = new Passwords();
    const all = await Promise.allSettled(
      Array.from({ length: 30 }, () => passwords.isRight('guess', { hash: hashOf('right'), owner: '192.0.2.1' })),
    );
    const refused = all.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 30 - 2 - 16);
    for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'CAPACITY_REACHED');
    assert.ok(await passwords.isRight('right', { hash: hashOf('right'), owner: '192.0.2.1' }), 'the places are free again');
  });
});

describe('a name that there is not', () => {
  it('is compared with the costs of some user’s password, always the same one', async () => {
    const hashes = [hashOf('correct horse battery'), hashOf('correct horse battery', { r: 2 })];
    const users = Users.parse(
      `users:\n${hashes.map((hash, i) => `  - { name: user${i}, actions: [watch], password: '${hash}' }\n`).join('')}  - { name: robot, actions: [watch], token: 'sha256:${'a'.repeat(64)}' }`,
      'users.yaml',
    );
    const accounts = new Accounts(undefined, { users });
    const names = Array.from({ length: 100 }, (_, i) => `nobody${i}`);
    const decoys = names.map((name) => accounts.decoyFor(name));
    assert.deepEqual(new Set(decoys), new Set(hashes));
    assert.deepEqual(
      names.map((name) => accounts.decoyFor(name)),
      decoys,
    );
    assert.equal(new Accounts(undefined, { users: new Users([]) }).decoyFor('nobody'), undefined);
    const checked = { hash: undefined, decoy: decoys[0], owner: '192.0.2.1' };
    assert.equal(await new Passwords().isRight('correct horse battery', checked), false, 'nobody gets in as somebody else');
  });
});

describe('a user of AUTH_FILE', () => {
  const parse = (fields: string): Users => Users.parse(`users:\n  - { name: alice, actions: [watch], ${fields} }`, 'users.yaml');

  it('has a password, a token, or both', () => {
    const hash = hashOf('correct horse battery');
    const alice = parse(`password: '${hash}'`).named('alice');
    assert.equal(alice?.entry.password, hash);
    assert.notEqual(alice.passwordStamp, parse(`password: '${hashOf('another horse')}'`).named('alice')?.passwordStamp);
    assert.equal(parse(`token: 'sha256:${'a'.repeat(64)}'`).named('alice')?.passwordStamp, undefined);
    assert.equal(parse(`token: 'sha256:${'a'.repeat(64)}', password: '${hash}'`).size, 1);
  });

  it('with a password that is not hashed is a fault, which does not repeat it', () => {
    assert.throws(
      () => parse('password: s3cret'),
      (error: Error) =>
        /users\[0\]\.password is not scrypt.*sightline hash-password/.test(error.message) && !error.message.includes('s3cret'),
    );
    assert.throws(() => parse('sources: [yard]'), /users\[0\]\.token is not there, and neither is password/);
  });
});
