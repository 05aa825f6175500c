/** Who may do what: principals, their rights, and the one gate that every door asks. Knows neither HTTP nor sessions. */
export type { AuditRecord } from './audit.js';
export { Access, type AccessConfig } from './access.js';
export type { Protocol } from './auth-url-request.js';
export type { AuthUrlStats } from './auth-url.js';
export { GRANTABLE, type Action, type Right } from './action.js';
export { NOBODY } from './ambient.js';
export { isForwardingHeader, type Approach } from './approach.js';
export { HeldRights } from './held-rights.js';
export { hashPassword, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from './passwords.js';
export { USER_NAME, UserActions, UserSources } from './user-entry.js';
export type { Precondition, ShownUser, UserChange, UserManager } from './user-manager.js';
export { hashToken } from './users.js';
export { idOf, isAmbient, may, turnUserOf, type Principal, type Scope } from './principal.js';
