/** Every export of src/ and every field of an exported interface says what it is. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import ts from 'typescript';
import { projectRoot } from '../helpers/assets.js';

/** They are the same thing everywhere, and are explained where they come from: base/. */
const EXPLAINED_ONCE: ReadonlySet<string> = new Set(['clock', 'logger', 'ledger']);

const src = path.join(projectRoot, 'src');

const hasComment = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0;

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** The name that a declaration gives, or its first line. */
function nameOf(node: ts.Statement | ts.TypeElement): string {
  const name = ts.isVariableStatement(node) ? node.declarationList.declarations[0]?.name : (node as ts.NamedDeclaration).name;
  return name?.getText() ?? node.getText().split('\n')[0] ?? '';
}

function uncommentedIn(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(path.join(src, file), 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements.filter(isExported).flatMap((statement) => {
    const members = ts.isInterfaceDeclaration(statement)
      ? statement.members.filter((member) => !EXPLAINED_ONCE.has(nameOf(member)) && !hasComment(member))
      : [];
    const own = hasComment(statement) ? [] : [`${file}: ${nameOf(statement)}`];
    return [...own, ...members.map((member) => `${file}: ${nameOf(statement)}.${nameOf(member)}`)];
  });
}

it('every export, and every field of an exported interface, has a comment that says what it is', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  assert.ok(files.length > 100);
  assert.deepEqual(files.flatMap(uncommentedIn), []);
});
