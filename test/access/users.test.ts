import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { HeldRights, may, type Access, type Principal } from '../../src/access/index.js';
import { Users } from '../../src/access/users.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

const hash = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`;
const ALICE = `  - { name: alice, token: '${hash('a')}', actions: [watch, data], sources: ['gate-*'] }`;
const BOB = `  - { name: bob, token: ['${hash('b')}', '${hash('B').toUpperCase().replace('SHA256', 'sha256')}'], actions: [all], addresses: [10.0.0.0/8, '2001:db8::/32'] }`;

describe('AUTH_FILE', () => {
  it('names users by hashed tokens, with rights, sources and addresses', () => {
    const users = Users.parse(['users:', ALICE, BOB].join('\n'), 'users.yaml');
    const find = (token: string, ip: string): Principal | undefined => {
      const user = users.withToken(token);
      return user?.isAllowedFrom(ip) === true ? user.principal : undefined;
    };
    const alice = find('a', '192.0.2.1');
    assert.deepEqual([alice?.name, alice?.kind], ['alice', 'user']);
    assert.ok(
      alice && may(alice, 'watch', { source: 'gate-1' }) && !may(alice, 'watch', { source: 'yard' }) && !may(alice, 'publish', 'some'),
    );
    for (const ip of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7']) assert.ok(may(find('B', ip) ?? assert.fail(ip), 'admin'), ip);
    for (const ip of ['11.0.0.1', '2001:db9::7', '', 'x']) assert.equal(find('b', ip), undefined, ip);
    assert.equal(find('sha256:', '10.0.0.1'), undefined);
    assert.equal(Users.parse('users: []', 'users.yaml').size, 0);
  });

  it('says every fault, where it is and what was expected, and repeats nothing', () => {
    const faultsOf = (text: string): string => {
      try {
        Users.parse(text, 'users.yaml');
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const faults = faultsOf(
      [
        'users:',
        '  - { name: "a b", token: s3cret, actions: [watch, fly], colour: red }',
        '  - { name: c, tokens: x, actions: [], addresses: [10.0.0.0/40] }',
        '  - 7',
      ].join('\n'),
    );
    for (const fault of [
      /users\[0\]\.name is not 1 to 64 of/,
      /users\[0\]\.token is not sha256: and the 64 hex digits/,
      /users\[0\]\.actions is not a list of watch, data, /,
      /users\[0\] has an unknown field: known are name, token/,
      /users\[1\] has an unknown field: did you mean token\?/,
      /users\[1\]\.token is not/,
      /users\[1\]\.actions is not/,
      /users\[1\]\.addresses is not a list of IP addresses/,
      /users\[2\] is no user/,
    ])
      assert.match(faults, fault);
    assert.doesNotMatch(faults, /s3cret|red\b|10\.0\.0\.0\/40/);
    assert.match(faultsOf(['users:', ALICE, ALICE].join('\n')), /two users 'alice'[^]*another user has the same token/);
    for (const text of ['', 'users: alice', '[]', 'users: []\ngroups: []']) assert.match(faultsOf(text), /expected `users:` alone/, text);
    assert.match(faultsOf('users:\n  - s3cret: "s3cret\n'), /^AUTH_FILE users\.yaml: line \d+ is no YAML \([A-Z_]+\)/);
    assert.doesNotMatch(faultsOf('users:\n  - s3cret: "s3cret\n'), /s3cret/);
    assert.match(
      faultsOf(`users:\n  - { name: eve, token: '${hash('')}', actions: [watch] }`),
      /users\[0\]\.token is the hash of an empty text/,
    );
    assert.match(faultsOf(`a: &a [x]\nusers: [*a, *a]`), /aliases/);
  });
});

describe('a change of AUTH_FILE', () => {
  interface Setting {
    readonly file: string;
    readonly access: Access;
    readonly clock: FakeClock;
    readonly lines: string[];
    /** Puts another file in its place, as editors do. */
    readonly replace: (text: string) => void;
  }

  function open(test: TestContext, text: string): Setting {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-users-'));
    const file = path.join(folder, 'users.yaml');
    writeFileSync(file, text);
    const clock = new FakeClock();
    const lines: string[] = [];
    const access = accessOf({ clock, authFile: file, logger: pino({}, { write: (line: string) => void lines.push(line) }) });
    test.after(async () => {
      await access.close();
      rmSync(folder, { recursive: true });
    });
    const replace = (next: string): void => {
      writeFileSync(`${file}.new`, next);
      renameSync(`${file}.new`, file);
    };
    return { file, access, clock, lines, replace };
  }

  /** Time passes until the file has been read. */
  async function said({ clock, lines }: Setting, what: RegExp): Promise<void> {
    const isSaid = async (): Promise<boolean> => {
      await clock.advance(1000);
      return lines.some((line) => what.test(line));
    };
    await eventually(isSaid, 5000, String(what));
  }

  it('counts within a second, for those who come and for those who are there', async (t) => {
    const setting = open(t, ['users:', ALICE, BOB].join('\n'));
    const { access, replace } = setting;
    const approach = approachFrom('192.0.2.1', 'a');
    const lost: string[] = [];
    const held = new HeldRights(access, approach, await access.identify(approach));
    held.guard({ action: 'watch', sources: () => ['gate-1'], onLost: () => lost.push('alice') });
    const bobs = approachFrom('10.0.0.1', 'b');
    const release = new HeldRights(access, bobs, await access.identify(bobs)).guard({
      action: 'watch',
      sources: () => ['yard'],
      onLost: () => lost.push('bob'),
    });
    replace(['users:', ALICE.replace('gate-*', 'yard'), BOB].join('\n'));
    await said(setting, /AUTH_FILE was read again/);
    await eventually(() => lost.length > 0, 5000, 'alice to lose her right');
    assert.deepEqual(lost, ['alice']);
    assert.ok(!held.mayHaveData('gate-1'));
    assert.ok(may(await access.identify(approach), 'watch', { source: 'yard' }));
    release();
    replace('users: []');
    await eventually(
      async () => {
        await setting.clock.advance(1000);
        return access.identify(approach).then(
          () => false,
          () => true,
        );
      },
      5000,
      'alice to be nobody',
    );
    assert.deepEqual(lost, ['alice'], 'bob had left');
  });

  it('ends what shows several sources where one of them is lost', async (t) => {
    const setting = open(t, ['users:', ALICE.replace("['gate-*']", "['gate-*', yard]")].join('\n'));
    const { access, replace } = setting;
    const approach = approachFrom('192.0.2.1', 'a');
    const lost: string[] = [];
    const wall = new HeldRights(access, approach, await access.identify(approach));
    wall.guard({ action: 'watch', sources: () => ['gate-1', 'yard'], onLost: () => lost.push('wall') });
    replace(['users:', ALICE].join('\n'));
    await said(setting, /AUTH_FILE was read again/);
    await eventually(() => lost.length > 0, 5000, 'the wall to end');
  });

  it('counts when it is whole: what gives more rights half-written gives none', async (t) => {
    const setting = open(t, ['users:', ALICE].join('\n'));
    const { access, clock, file, lines } = setting;
    const head = `users:\n  - name: alice\n    token: '${hash('a')}'\n    actions: [watch, data, publish]\n`;
    writeFileSync(file, head);
    await clock.advance(1000);
    await eventually(() => clock.pendingTimers === 2, 5000, 'the first look at it');
    writeFileSync(file, `${head}    sources: [yard]\n`);
    await clock.advance(400);
    await eventually(() => clock.pendingTimers === 2, 5000, 'the second look');
    const before = await access.identify(approachFrom('192.0.2.1', 'a'));
    assert.ok(may(before, 'watch', { source: 'gate-1' }) && !may(before, 'publish', 'some'));
    await said(setting, /AUTH_FILE was read again/);
    const after = await access.identify(approachFrom('192.0.2.1', 'a'));
    assert.ok(may(after, 'publish', { source: 'yard' }) && !may(after, 'watch', { source: 'gate-1' }));
    assert.equal(lines.filter((line) => line.includes('read again')).length, 1);
  });

  it('with a fault changes nothing, and is said once', async (t) => {
    const setting = open(t, ['users:', ALICE].join('\n'));
    const { access, clock, lines, replace, file } = setting;
    replace('users:\n  - { name: alice }');
    await said(setting, /what it held before goes on/);
    await clock.advance(1000);
    await clock.advance(1000);
    assert.ok(may(await access.identify(approachFrom('192.0.2.1', 'a')), 'watch', { source: 'gate-1' }));
    rmSync(file);
    await said(setting, /ENOENT/);
    assert.ok(may(await access.identify(approachFrom('192.0.2.1', 'a')), 'watch', { source: 'gate-1' }));
    assert.equal(lines.filter((line) => line.includes('users[0].token')).length, 1);
  });

  it('is noticed by no look that a new token overtakes, and a client that comes back is looked at from where it comes', async (t) => {
    const inside = ALICE.replace(' }', ', addresses: [10.0.0.0/8] }');
    const { access } = open(t, ['users:', inside, BOB].join('\n'));
    const approach = approachFrom('10.0.0.1', 'a');
    const held = new HeldRights(access, approach, await access.identify(approach));
    held.guard({ action: 'watch', sources: () => ['gate-1'], onLost: () => undefined });
    for (const ip of ['192.0.2.1', '']) {
      await assert.rejects(held.resume({ ...approachFrom('192.0.2.1'), ip }), { code: 'UNAUTHORIZED' });
      assert.ok(await held.mayWatch('gate-1'), 'nothing has changed');
    }
    await held.resume(approachFrom('10.0.0.2'));
    assert.equal(held.principal.name, 'alice');
    await held.resume(approachFrom('10.0.0.2', 'b'));
    assert.equal(held.principal.name, 'bob');
  });

  it('that is not there at the start is a fault', () => {
    assert.throws(() => accessOf({ authFile: '/nowhere/users.yaml' }), /AUTH_FILE \/nowhere\/users\.yaml cannot be read/);
  });
});
