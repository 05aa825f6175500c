import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearMisses, parseConfig, VARIABLES } from '../../src/config.js';

/** What environments of shells, containers, Kubernetes, CI and of other programs hold. */
const OF_OTHERS =
  'HOSTNAME HOSTS HOSTTYPE HOME PATH PWD OLDPWD LOGNAME USER SHELL SHLVL LANG LC_ALL TERM TZ TMPDIR MAIL EDITOR PAGER DISPLAY PORTS POST COST CI DEBUG NODE_ENV NODE_OPTIONS ' +
  'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy no_proxy KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT PUBLIC_URL BASE_URL DATABASE_URL REDIS_HOST DB_PORT ' +
  'WATCHDOG_USEC WATCHDOG_PID NOTIFY_SOCKET INVOCATION_ID JOURNAL_STREAM LISTEN_FDS SSH_AUTH_SOCK XDG_RUNTIME_DIR GITHUB_TOKEN MALLOC_ARENA_MAX LD_LIBRARY_PATH ' +
  'npm_config_cache npm_lifecycle_event INIT_CWD CAMERA_PASSWORD GATE_PASSWORD RTSP_USER LOG MODE SOURCE RATE LIMIT UV_THREADPOOL_SIZE OMP_NUM_THREADS CUDA_VISIBLE_DEVICES';

describe('a name that is nearly one of ours', () => {
  for (const [name, meant] of [
    ['MAX_CONECTIONS', 'MAX_CONNECTIONS'],
    ['MAX_CONNECTION', 'MAX_CONNECTIONS'],
    ['MAXCONNECTIONS', 'MAX_CONNECTIONS'],
    ['MAX_CONN', 'MAX_CONNECTIONS'],
    ['max_connections', 'MAX_CONNECTIONS'],
    ['PROT', 'PORT'],
    ['port', 'PORT'],
    ['HSOT', 'HOST'],
    ['MODELS', 'MODEL'],
    ['MODLE', 'MODEL'],
    ['LOG_LEVELS', 'LOG_LEVEL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['PUBLIC_IP', 'PUBLIC_IPS'],
    ['TURN_URL', 'TURN_URLS'],
    ['UPLOADS_DIR', 'UPLOAD_DIR'],
    ['VIEWER_TOKENS', 'VIEWER_TOKEN'],
    ['PUBLISH_TOKEN', 'PUBLISH_TOKENS'],
    ['WATCHDOG', 'WATCHDOG_S'],
  ] as const) {
    it(`${name} is taken for ${meant}`, () => assert.deepEqual(nearMisses([name]), [{ name, meant }]));
  }

  it('is none of the known ones, and none of other programs', () => {
    assert.deepEqual(nearMisses([...Object.keys(VARIABLES), ...OF_OTHERS.split(' ')]), []);
  });

  it('is a fault in .env, with all others, and never shows a value', () => {
    assert.throws(
      () =>
        parseConfig({ MAX_CONECTIONS: 's3cret', TURN_SECRTE: 's3cret', PORT: '70000', GATE_PASSWORD: 's3cret' }, [
          'MAX_CONECTIONS',
          'TURN_SECRTE',
          'PORT',
          'GATE_PASSWORD',
        ]),
      (error: Error) => {
        assert.match(error.message, /unknown MAX_CONECTIONS in \.env: did you mean MAX_CONNECTIONS\?/);
        assert.match(error.message, /unknown TURN_SECRTE in \.env: did you mean TURN_SECRET\?/);
        assert.match(error.message, /invalid PORT: '70000'/);
        assert.doesNotMatch(error.message, /s3cret|GATE/);
        return true;
      },
    );
  });

  it('is no fault in the environment', () => {
    assert.equal(parseConfig({ MAX_CONECTIONS: '5' }).MAX_CONNECTIONS, 10);
  });
});
