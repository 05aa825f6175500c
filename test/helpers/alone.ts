/**
 * A test file that imports this measures what the machine can do, so no other runs beside it. Everything else has to
 * bear company.
 */
export {};
