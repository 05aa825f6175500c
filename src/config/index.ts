/** The table of variables, and what of them does not go together. Pure: what the environment holds is read elsewhere. */
export { conflicts, throwIfOpen } from './conflicts.js';
export type { LogComponent } from './log-levels.js';
export type { Variable } from './variable.js';
export { VARIABLES, type Config, type VariableName } from './variables.js';
